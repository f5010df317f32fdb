import Sequencer from '@jest/test-sequencer';

/** Suites that wait for a browser, other programs or timeouts. */
const slow =
  /\/test\/(browser|instances|state|(stop|deploy|dev|readme|recipes)\.spec|hostile\/(metadata|refresh)\.spec)/;

/** Runs the slow suites first, so that none of them runs alone at the end; the others are in Jest's order. */
export default class SlowSuitesFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => slow.test(b.path) - slow.test(a.path));
  }
}
