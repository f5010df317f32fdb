import { relative } from 'node:path';

const SHOWN = 10;

/** Prints the ten slowest suites after a run of more than ten, and the numbers of passed cases and `expect` calls. */
export default class SlowestSuites {
  onRunComplete(_contexts, { testResults }) {
    if (testResults.length <= SHOWN) return;
    const seconds = ({ perfStats: { start, end } }) => (end - start) / 1000;
    console.log('\nThe slowest suites:');
    for (const result of testResults.toSorted((a, b) => seconds(b) - seconds(a)).slice(0, SHOWN))
      console.log(
        `${seconds(result).toFixed(1).padStart(7)} s  ${relative(process.cwd(), result.testFilePath)}`,
      );
    const passed = testResults
      .flatMap(({ testResults: cases }) => cases)
      .filter(({ status }) => status === 'passed');
    const expects = passed.reduce((sum, { numPassingAsserts = 0 }) => sum + numPassingAsserts, 0);
    console.log(`${passed.length} cases with ${expects} calls of expect passed`);
  }
}
