import { InferenceFailed, ModelUnfit } from '../../studio/errors/index.js';
import { EXPECTED_CONTRACT } from './contract.js';
import { ChildDied, ChildRefused } from './supervised-child.js';

/** Where a failure happened; decides what is tried next. */
export interface FailurePlace {
  readonly modelId: string;
  readonly provider: string;
  /** The graph has one input size only. */
  readonly fixed: boolean;
  readonly timeoutMs: number;
}

/** Memory ran out: a smaller size or the CPU may do. */
export class MemoryShort extends Error {
  constructor(
    readonly place: FailurePlace,
    override readonly cause: unknown,
  ) {
    super(`out of memory on ${place.provider}`);
  }
}

/** NaN or infinity from a card, as half precision may give: the CPU will do. */
export class NotFinite extends Error {
  constructor(readonly place: FailurePlace) {
    super(`${place.provider} answered with NaN or infinity`);
  }
}

/** Make of the child's answer or end what the host acts upon. A crash stays `ChildDied`. */
export function translateFailure(error: unknown, place: FailurePlace): unknown {
  if (error instanceof ChildRefused) return refused(error, place);
  if (!(error instanceof ChildDied)) return error;
  if (error.reason === 'memory') return new MemoryShort(place, error);
  if (error.reason === 'cancelled') return new InferenceFailed('it was stopped', error);
  // Under a limit of memory a thread that could not be started is waited for without end.
  if (error.reason === 'timeout' && error.limited && !blames(error))
    return new MemoryShort(place, error);
  // A driver that hangs while a model loads is to blame like one that crashes.
  if (error.reason === 'timeout' && !blames(error))
    return new InferenceFailed(`no answer within ${Math.round(place.timeoutMs / 1000)} s`, error);
  return error;
}

/** The provider whose driver took the child down while it was being loaded. */
export function blames(died: ChildDied): string | undefined {
  return died.trying && died.trying !== 'cpu' ? died.trying : undefined;
}

function refused(error: ChildRefused, place: FailurePlace): Error {
  const { kind, reason, expected, found } = error.failure;
  if (kind === 'unfit')
    return new ModelUnfit(place.modelId, expected ?? EXPECTED_CONTRACT, found ?? reason, error);
  if (kind === 'memory') return new MemoryShort(place, error);
  if (kind === 'numeric' && place.provider !== 'cpu') return new NotFinite(place);
  return new InferenceFailed(reason, error);
}
