// One closing line that reads the same for every test runner: "Tests: N passed, N failed".
module.exports = class ClosingLine {
  onRunComplete(_contexts, results) {
    // A suite that cannot even load runs no test: it counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`Tests: ${results.numPassedTests} passed, ${failed} failed\n`);
  }
};
