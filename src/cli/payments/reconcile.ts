import type { Difference, Reconciliation } from '../../payments/reconciliation.js';
import { BillNotReady, StudioError } from '../../studio/errors/index.js';
import type { GatewayId, PaymentGateway } from '../../studio/ports/gateway.js';
import { describeError, WrongUse } from '../errors.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { money, type OfficeParts, withContext } from '../studio/open-office.js';
import { openAllGateways } from './all-gateways.js';
import { billDateAt, reconcileDay, startOfBillDay } from './reconcile-day.js';
import { type RepairOutcome, repair } from './repair.js';

export interface ReconcileOptions extends GlobalOptions {
  /** YYYY-MM-DD in the provider's zone; absent: the provider's yesterday. */
  readonly date?: string;
  readonly gateway?: readonly GatewayId[];
  readonly apply?: boolean;
}

const dayMs = 86_400_000;
const solved: ReadonlySet<RepairOutcome> = new Set(['repaired', 'confirmed']);

/**
 * `huancai reconcile`: bills against books.
 * @returns someFailed while a difference is left, environment when a bill could not be had.
 */
export function reconcile(options: ReconcileOptions): Promise<ExitCode> {
  return withContext(
    options,
    ({ config }, deps) => openAllGateways(deps, config, () => config.web.publicUrl ?? '').all,
    async (parts) => {
      const results: ExitCode[] = [];
      for (const gateway of chosen(parts, options.gateway))
        results.push(await reconcileGateway(parts, gateway, options));
      for (const code of [exitCodes.someFailed, exitCodes.environment] as const)
        if (results.includes(code)) return code;
      return exitCodes.done;
    },
  );
}

function chosen({ context }: OfficeParts, wanted: readonly GatewayId[] = []): PaymentGateway[] {
  const { gateways } = context;
  const here = [...gateways.keys()].join(', ') || '-';
  const missing = wanted.filter((id) => !gateways.has(id));
  if (missing.length > 0)
    throw new WrongUse(`--gateway ${missing.join(', ')}: not set up here (set up: ${here})`);
  const all = [...gateways.values()];
  return wanted.length > 0 ? all.filter(({ id }) => wanted.includes(id)) : all;
}

async function reconcileGateway(
  parts: OfficeParts,
  gateway: PaymentGateway,
  { date, apply }: ReconcileOptions,
): Promise<ExitCode> {
  const { shell, context } = parts;
  const { output, t } = shell;
  const day = date ?? billDateAt(gateway.id, shell.now() - dayMs);
  let result: Reconciliation;
  try {
    if (startOfBillDay(gateway.id, day) > shell.now()) throw new BillNotReady(gateway.id, day);
    result = await reconcileDay(context.store.read, gateway, day);
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    const { code } = error;
    output.record({ type: 'noBill', gateway: gateway.id, date: day, code });
    output.line(`${gateway.id}  ${day}  ${describeError(error, t)}`);
    return exitCodes.environment;
  }
  let left = 0;
  for (const difference of result.differences) {
    const outcome = apply ? await mend(parts, gateway, difference) : undefined;
    if (!outcome || !solved.has(outcome)) left += 1;
    show(shell, result, difference, outcome);
  }
  const { matched, theirsMinor, oursMinor } = result;
  const found = result.differences.length;
  const sums = { gateway: gateway.id, date: day, matched, theirsMinor, oursMinor };
  output.record({ type: 'reconciliation', ...sums, currency: gateway.currency, found, left });
  output.line(
    t(`reconcile.${found === 0 ? 'equal' : 'sums'}`, {
      ...{ gateway: gateway.id, date: day, matched, found, left },
      theirs: money(theirsMinor, gateway.currency),
      ours: money(oursMinor, gateway.currency),
    }),
  );
  if (found > 0 && !apply) output.notice(t('reconcile.applyHint'));
  return left === 0 ? exitCodes.done : exitCodes.someFailed;
}

/** A provider that does not answer leaves the difference for the next time. */
async function mend(
  { context, by }: OfficeParts,
  gateway: PaymentGateway,
  difference: Difference,
): Promise<RepairOutcome> {
  try {
    return await repair(context, by, gateway, difference);
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    context.log.warn('reconciliation.notRepaired', { gateway: gateway.id, code: error.code });
    return 'kept';
  }
}

function show(
  { output, t }: Shell,
  { gateway, date }: Reconciliation,
  difference: Difference,
  outcome: RepairOutcome | undefined,
): void {
  const { kind, movement, outTradeNo, outRefundNo, theirsMinor, oursMinor, currency } = difference;
  output.record({ type: 'difference', gateway, date, ...difference, outcome });
  const sum = (minor: number | undefined) =>
    (minor === undefined ? '-' : money(minor, currency)).padStart(10);
  const what = t(`reconcile.${kind}`);
  const numbers = [outTradeNo, outRefundNo].filter(Boolean).join(' ');
  const done = outcome ? `  ${t(`reconcile.${outcome}`)}` : '';
  output.line(
    `${gateway}  ${date}  ${t(`reconcile.${movement}`)}  ${sum(theirsMinor)}  ${sum(oursMinor)}  ${numbers}  ${what}${done}`,
  );
}
