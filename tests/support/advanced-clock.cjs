// node --require: this process reads its time from a plan that a test can change, so that hours
// pass in seconds. Everything else of the process is as it ships.
const { readFileSync } = require('node:fs');

const file = process.env.TEST_CLOCK_FILE;
const RealDate = Date;
let plan = { realMs: 0, fakeMs: 0, speed: 1 };
const read = () => {
  try {
    plan = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Between two writes: the last plan holds.
  }
};
read();
setInterval(read, 20).unref();

let last = 0;
const now = () => {
  last = Math.max(last, Math.floor(plan.fakeMs + (RealDate.now() - plan.realMs) * plan.speed));
  return last;
};
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => (args.length > 0 ? new target(...args) : new target(now())),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
