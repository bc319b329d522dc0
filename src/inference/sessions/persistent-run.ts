import { InferenceFailed, InferenceOutOfMemory, ModelUnfit } from '../../studio/errors/index.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';
import type { ModelContract } from './contract.js';
import { blames, type FailurePlace, MemoryShort, NotFinite } from './failures.js';
import type { GuardedCard } from './guarded-card.js';
import { type Attempt, type createMemoryCaution, nextAttempt, sizeOf } from './memory-plan.js';
import { faultNote } from './providers.js';
import { resizePlanes } from './resample.js';
import { ChildDied } from './supervised-child.js';
import type { HostEvent, HostPrediction, PredictRequest } from './types.js';
import type { WarmSession } from './warm-session.js';

/** Mean chroma under which an answer is called nearly grey; 2 is about a just visible difference. */
const NEARLY_GREY = 1;

interface Tools {
  readonly session: WarmSession;
  readonly caution: ReturnType<typeof createMemoryCaution>;
  readonly emit: (event: HostEvent) => void;
  readonly card: GuardedCard;
}

/** Run to an answer: once more after a crash, smaller or on the CPU after out of memory. */
export async function predictPersistently(
  tools: Tools,
  request: PredictRequest,
  planes: Float32Array,
  signal?: AbortSignal,
): Promise<HostPrediction> {
  const pixels = request.widthPx * request.heightPx;
  const notes: ResultNote[] = [];
  let attempt = tools.caution.startAt(request.modelFile, pixels);
  let crashes = 0;
  for (;;) {
    const pass = await tools.card.enter(signal);
    notes.push(...pass.notes);
    const onCpu = { ...attempt, cpuOnly: attempt.cpuOnly || pass.cpuOnly };
    try {
      const run = () => runOnce(tools, request, planes, onCpu);
      const prediction = await (onCpu.cpuOnly ? run() : tools.card.using(run));
      if (attempt.cpuOnly) notes.push({ key: 'inference.movedToCpu' });
      return { ...prediction, notes: [...notes, ...prediction.notes] };
    } catch (error) {
      const stopped = tools.card.brokenOff();
      if (stopped) {
        notes.push(stopped);
        continue;
      }
      const crash = error instanceof ChildDied ? afterCrash(tools, error, crashes, request) : error;
      if (crash instanceof ChildDied) {
        if (!blames(crash)) crashes += 1;
        notes.push(crashNote(crash));
      } else attempt = await afterShortage(tools, crash, onCpu, request);
    }
  }
}

/** Load with the same patience: a driver that crashes the process is left out. */
export async function describePersistently(
  tools: Tools,
  modelFile: string,
  modelId: string,
): Promise<ModelContract> {
  const notes: ResultNote[] = [];
  const cpuOnly = !(await tools.card.mayLoad());
  for (let crashes = 0; ; ) {
    try {
      const { contract } = await tools.session.load(modelFile, modelId, cpuOnly);
      return { ...contract, notes: [...notes, ...contract.notes] };
    } catch (error) {
      const place = { modelId, widthPx: 0, heightPx: 0 };
      const crash = error instanceof ChildDied ? afterCrash(tools, error, crashes, place) : error;
      if (crash instanceof MemoryShort)
        throw new InferenceOutOfMemory(crash.place.provider, 0, crash);
      if (!(crash instanceof ChildDied)) throw crash;
      if (!blames(crash)) crashes += 1;
      notes.push(crashNote(crash));
    }
  }
}

async function runOnce(
  { session }: Tools,
  request: PredictRequest,
  planes: Float32Array,
  attempt: Attempt,
): Promise<HostPrediction> {
  const { contract } = await session.load(request.modelFile, request.modelId, attempt.cpuOnly);
  checkSize(request, contract);
  const size = sizeOf(request, contract.fixed ? 0 : attempt.stepsDown);
  const smaller = size.widthPx * size.heightPx < request.widthPx * request.heightPx;
  const input = smaller ? resizePlanes(planes, request, size) : planes;
  const result = await session.run(input, size.widthPx, size.heightPx);
  const { ab, seconds, meanChroma } = result;
  const notes = [...contract.notes];
  if (smaller) notes.push(steppedDown(request, size));
  if (meanChroma < NEARLY_GREY)
    notes.push({
      key: 'inference.nearlyGrey',
      params: { meanChroma: Math.round(meanChroma * 100) / 100 },
    });
  return { ab, ...size, provider: contract.provider, seconds, meanChroma, notes };
}

/** The crash itself when it is worth another try, else the error to end with. */
function afterCrash(
  { session, emit }: Tools,
  died: ChildDied,
  crashes: number,
  request: { modelId: string; widthPx: number; heightPx: number },
): unknown {
  const provider = blames(died);
  if (provider) {
    session.ban(provider);
    emit({ name: 'providerFallback', provider, cause: 'crashed', reason: died.message });
    return died;
  }
  if (crashes === 0) return died;
  const place: FailurePlace = {
    modelId: request.modelId,
    provider: 'cpu',
    fixed: false,
    timeoutMs: 0,
  };
  // It ends each time under a limit that we can see: the size is what we can change about it.
  if (died.limited) return new MemoryShort(place, died);
  // Somebody kills it each time: most likely a memory limit whose counter we cannot see.
  if (died.signal === 'SIGKILL' && request.widthPx > 0) return new MemoryShort(place, died);
  const last = died.stderr.trim().split('\n').at(-1);
  return new InferenceFailed(`${died.message}${last ? `: ${last.slice(0, 200)}` : ''}`, died);
}

async function afterShortage(
  { session, caution, emit }: Tools,
  error: unknown,
  attempt: Attempt,
  request: PredictRequest,
): Promise<Attempt> {
  if (error instanceof NotFinite) return { stepsDown: 0, cpuOnly: true };
  if (!(error instanceof MemoryShort)) throw error;
  const { provider, fixed } = error.place;
  const tried = sizeOf(request, fixed ? 0 : attempt.stepsDown);
  const sizePx = Math.max(tried.widthPx, tried.heightPx);
  emit({ name: 'outOfMemory', provider, sizePx });
  // What the failed run left behind would make the next one fail too.
  await session.recycle();
  const next = nextAttempt(attempt, provider, request, fixed);
  if (!next) throw new InferenceOutOfMemory(provider, sizePx, error);
  caution.remember(request.modelFile, request.widthPx * request.heightPx, next);
  return next;
}

function checkSize(request: PredictRequest, { fixed }: ModelContract): void {
  if (!fixed) return;
  if (fixed.widthPx === request.widthPx && fixed.heightPx === request.heightPx) return;
  throw new ModelUnfit(
    request.modelId,
    `an input of ${fixed.widthPx}x${fixed.heightPx} px, the only size of this graph`,
    `${request.widthPx}x${request.heightPx} px`,
  );
}

function steppedDown(from: PredictRequest, to: { widthPx: number; heightPx: number }): ResultNote {
  return {
    key: 'inference.sizeSteppedDown',
    params: {
      from: `${from.widthPx}x${from.heightPx}`,
      to: `${to.widthPx}x${to.heightPx}`,
    },
  };
}

function crashNote(died: ChildDied): ResultNote {
  const provider = blames(died);
  return provider
    ? faultNote({ provider, cause: 'crashed', reason: died.message })
    : { key: 'inference.retriedAfterCrash' };
}
