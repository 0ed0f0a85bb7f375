import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { fileError } from '../../src/client/file-error.ts'

const systemError = (code: string, errno = -1) =>
  Object.assign(new Error('said so'), { code, errno })

describe('what a file system says', () => {
  it.each([
    ['ENOSPC', -constants.errno.ENOSPC, 'There is no room left'],
    ['EFBIG', -constants.errno.EFBIG, 'The file system takes no file so large'],
    // Node's own words for it
    ['Unknown system error -122', -constants.errno.EDQUOT, "The user's quota leaves no room"],
  ])('as %s is DISK_FULL, with the bytes that the file takes', (code, errno, words) => {
    expect(fileError(systemError(code, errno), 'mine.json', '1000 bytes')).toMatchObject({
      name: 'ClientError',
      code: 'DISK_FULL',
      message: `${words} for mine.json, which takes 1000 bytes.`,
    })
  })

  it.each(['EACCES', 'EROFS', 'ENAMETOOLONG', 'EIO'])('as %s is FILE_NOT_WRITABLE', (code) => {
    expect(fileError(systemError(code), 'mine.json', '1000 bytes')).toMatchObject({
      code: 'FILE_NOT_WRITABLE',
      message: 'Cannot write mine.json: said so.',
    })
  })

  it('is left alone when it is no word of the system: a bug stays one', () => {
    const bug = new TypeError('undefined is not a function')
    expect(fileError(bug, 'mine.json', '1000 bytes')).toBe(bug)
  })
})
