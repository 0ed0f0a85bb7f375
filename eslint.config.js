import tseslint from 'typescript-eslint'

/** Restricts a module to one folder of src: `style.md`'s "importable from exactly one folder" is dependency-cruiser's. */
const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only src/config.ts reads process.env; pass configuration in.',
}
const noBareError = {
  selector: "ThrowStatement > NewExpression[callee.name='Error']",
  message:
    'A bare Error has no code: throw an ExportError subclass, or TypeError/RangeError for a bug.',
}
/** Of a test, too: one that waits for ever says nothing. */
const noForgottenTimeout = {
  selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']",
  message: 'Node 20 forgets it where only an AbortSignal.any knows of it: use abortAfter.',
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.longhaul/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'max-lines': ['error', { max: 250 }],
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-syntax': ['error', noEnvironment, noBareError, noForgottenTimeout],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ['src/config.ts'],
    rules: { 'no-restricted-syntax': ['error', noBareError, noForgottenTimeout] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tests start processes with an environment of their own, and read rows whose types they know
      'no-restricted-syntax': ['error', noForgottenTimeout],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  // vitest wants its configuration as the default export
  { files: ['vitest.config.ts'], rules: { 'no-restricted-exports': 'off' } },
)
