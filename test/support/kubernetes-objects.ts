import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'
import { projectFolder, readProjectFile } from './project-file.ts'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

const folder = 'deploy/kubernetes'

/** All objects of the example, Kustomize's own file apart. */
export const readKubernetesObjects = (): readonly KubernetesObject[] =>
  readdirSync(join(projectFolder, folder))
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .flatMap((file) =>
      parseAllDocuments(readProjectFile(`${folder}/${file}`)).map(
        (document) => document.toJS() as KubernetesObject,
      ),
    )

/**
 * What the API of Kubernetes has against an object: fields that are missing, of a wrong type, or that it does not know.
 * The compiler compares it, written as a literal, with the type that was made from the API's own description.
 */
export function kubernetesProblems(object: KubernetesObject): readonly string[] {
  const { apiVersion, kind } = object
  const group = apiVersion === 'v1' ? 'core/v1' : apiVersion
  const source =
    `import type { ${kind} } from 'kubernetes-types/${group}'\n` +
    `export const object: ${kind} = ${JSON.stringify(object, undefined, 2)}\n`
  const path = join(projectFolder, 'test', 'kubernetes-object.ts')
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  }
  const host = ts.createCompilerHost(options)
  const onDisk = { ...host }
  host.fileExists = (name) => name === path || onDisk.fileExists(name)
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
      : onDisk.getSourceFile(name, ...rest)
  const program = ts.createProgram([path], options, host)
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}
