import { parentPort } from 'node:worker_threads';
import { systemCodeOf } from '../../studio/errors/base.js';
import { createRecombineKit } from '../color/recombine-kit.js';
import { prepare } from './prepare.js';
import { runStrips } from './run-strips.js';
import type { Prepared, RenderTask, ThreadMessage } from './strip-job.js';

/** Entry file of a render thread: one task at a time, in the order they come. */
const port = parentPort;
const kit = createRecombineKit();
if (port) port.on('message', (task: RenderTask) => port.postMessage(run(task)));

function run(task: RenderTask): ThreadMessage {
  try {
    const result: Prepared | undefined =
      task.kind === 'prepare'
        ? prepare(task, kit)
        : void runStrips(task, kit, () => port?.postMessage({ kind: 'progress' }));
    return { kind: 'done', result };
  } catch (error) {
    const code = systemCodeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', message, code };
  }
}
