// Preload (`node -r`): when the process ends, the files of all modules that it loaded are written to
// $LOADED_MODULES/<pid>.json. The inspector sees what `require` and `import()` load alike; the cache of
// `require` adds what is no script (JSON, addons).
const { writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { isMainThread } = require('node:worker_threads');

const folder = process.env.LOADED_MODULES;
if (folder && isMainThread) {
  const files = new Set();
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (url.startsWith('file:')) files.add(fileURLToPath(url));
    else if (path.isAbsolute(url)) files.add(url);
  });
  session.post('Debugger.enable');
  process.on('exit', () => {
    for (const file of Object.keys(require.cache)) files.add(file);
    files.delete(__filename);
    writeFileSync(path.join(folder, `${process.pid}.json`), JSON.stringify([...files].sort()));
  });
}
