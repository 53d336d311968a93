import type { CodegenConfig } from '@graphql-codegen/cli';

/** What a frontend tells graphql-codegen of Stoa. */
const config: CodegenConfig = {
  schema: '../../../schema.graphql',
  documents: 'src/**/*.ts',
  ignoreNoDocuments: true,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: {
        // Writes `persisted-documents.json`: what `stoa documents add` takes. Each document knows its hash.
        persistedDocuments: { hashAlgorithm: 'sha256' },
        fragmentMasking: { unmaskFunctionName: 'read' },
      },
      config: {
        // Documents are texts: no client library is needed, and `graphql` is not in the bundle.
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        // For Node's own module resolution; a bundler does not need it.
        importExtension: '.js',
        emitLegacyCommonJSImports: false,
        // A scalar that is not named here is an error. RFC 3339, always in UTC: `new Date(…)` reads it.
        strictScalars: true,
        scalars: { DateTime: 'string', ID: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
