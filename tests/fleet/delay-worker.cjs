// `huancai worker` of the built product with an engine that only takes time: its card is emulated,
// everything else (queue, blobs, guard, stages, announcements) is the real thing.
// SIM_SECONDS: for one photo at 512 px. SIM_GO: no work before this file exists. SIM_LOG: one line
// per inference begun or ended. A photo that holds the word POISON ends the process.
const fs = require('node:fs');
const dist = (file) => require(`../../dist/${file}`);
const { openShell } = dist('cli/open-shell.js');
const { openCards } = dist('cli/cards.js');
const { openModelStore } = dist('cli/models/open-store.js');
const { openWorkParts } = dist('cli/wire.js');
const { runWorker } = dist('cli/worker/run.js');
const { Cancelled, CardPaused, InferenceOutOfMemory } = dist('studio/errors/index.js');

const { SIM_SECONDS, SIM_GO, SIM_LOG, SIM_MEMORY_PX } = process.env;
const note = (event, more = {}) =>
  fs.appendFileSync(
    SIM_LOG,
    `${JSON.stringify({ event, atMs: Date.now(), pid: process.pid, ...more })}\n`,
  );
let go = false;
const mayGo = () => {
  go ||= fs.existsSync(SIM_GO);
  return go;
};

function sleep(ms, signal, gate) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(resolve), ms);
    const cancel = () => done(() => reject(new Cancelled()));
    const unlisten = gate?.onStop((s) =>
      done(() => reject(new CardPaused('sim', s.reading.temperatureC))),
    );
    function done(how) {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      unlisten?.();
      how();
    }
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  });
}

function delayColorizer(gate) {
  let produced = 0;
  // A card does one photo at a time, as the inference host holds it to.
  let card = Promise.resolve();
  const alone = (work) => {
    const turn = card.then(work);
    card = turn.catch(() => {});
    return turn;
  };
  return {
    inspect: async () => ({
      ...{
        widthPx: 64,
        heightPx: 48,
        format: 'jpeg',
        bitDepth: 8,
        channels: 3,
        pages: 1,
        notes: [],
      },
    }),
    predict: async (file, { model, sizePx = 512 }, { signal } = {}) => {
      if (fs.readFileSync(file).includes('POISON')) {
        note('poisoned');
        process.kill(process.pid, 'SIGKILL');
      }
      if (sizePx > Number(SIM_MEMORY_PX)) throw new InferenceOutOfMemory('cuda', sizePx);
      const seconds = Number(SIM_SECONDS) * Math.max(1, (sizePx / 512) ** 2);
      await alone(async () => {
        if (signal?.aborted) throw new Cancelled();
        await gate?.enter(signal);
        note('begin', { sizePx });
        try {
          await sleep(seconds * 1000, signal, gate);
        } finally {
          note('end', { sizePx });
        }
      });
      produced += 1;
      const ab = new Float32Array(8).fill(((process.pid % 97) + produced) / 1000);
      const input = { inputWidthPx: sizePx, inputHeightPx: sizePx };
      const chroma = { widthPx: 2, heightPx: 2, ab };
      return { chroma, model, ...input, provider: 'cuda', seconds, meanChroma: 20, notes: [] };
    },
    render: async (_file, _chroma, output, { layout, label }) => {
      fs.writeFileSync(output, `${layout ?? 'colour'} ${label.produceId}`);
      const shape = { widthPx: 64, heightPx: 48, format: 'jpeg', bitDepth: 8, bytes: 1 };
      return { file: output, ...shape, notes: [] };
    },
    close: async () => {},
  };
}

function openDelayEngine(shell, guard) {
  const { cards, gate } = openCards(shell, guard);
  return {
    colorizer: delayColorizer(gate),
    models: openModelStore(shell),
    contactSheet: async () => {},
    modelHash: async () => '0'.repeat(64),
    ownSize: async () => ({ sizePx: 512, fixed: false }),
    isLabelled: async () => false,
    describe: async () => ({}),
    status: () => ({ restarts: 0 }),
    cards,
    card: () => gate?.status(),
    mayTakeWork: () => mayGo() && (gate?.mayTakeWork() ?? true),
    close: async () => cards.close(),
  };
}

note('start');
const shell = openShell({});
runWorker(shell, (logger) => openWorkParts(shell, logger, 'worker', openDelayEngine)).then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(3);
  },
);
