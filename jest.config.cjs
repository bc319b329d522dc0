/** Two workers: the smallest box we support has two cores and the suites start real servers. */
module.exports = {
  testEnvironment: '<rootDir>/tests/support/jest-environment.cjs',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  transform: {
    '^.+\\.[jt]sx?$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Sources use nodenext specifiers ('./x.js'); on disk they are TypeScript.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
    '^onnxruntime-node$': '<rootDir>/tests/support/onnxruntime.cjs',
  },
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/tests/support/closing-line.cjs'],
  maxWorkers: 2,
};
