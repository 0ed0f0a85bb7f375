/** Whether the IANA time zone database, as this Node has it, knows a zone of this name, such as `Europe/Berlin`. */
export function isTimeZone(text: string): boolean {
  // newer versions of Node take offsets, too, which know no daylight saving time
  if (!/^[a-z]/i.test(text)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}

/** Whether it is a date of the calendar, such as `2024-02-29`. */
export function isLocalDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const at = new Date(`${text}T00:00:00Z`)
  return !isNaN(at.getTime()) && at.toISOString().startsWith(text)
}
