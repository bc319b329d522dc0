/**
 * What can go wrong between a merchant and a payment provider.
 * `lost`: the request never arrives. `replyLost`: it takes effect, the answer does not come back.
 */
export type Fault =
  | 'lost'
  | 'replyLost'
  | 'html502'
  | 'http500'
  | 'systemError'
  | 'slow'
  /** Taken by the connection and never answered, as by a line that only one side believes in. */
  | 'swallowed'
  /** A token that is good is called wrong. */
  | 'wrong401'
  /** Another program polls with the same token. */
  | 'conflict'
  | 'unsigned'
  | 'forged';

export const allFaults: readonly Fault[] = [
  'lost',
  'replyLost',
  'html502',
  'http500',
  'systemError',
  'slow',
  'unsigned',
  'forged',
];

/** Asked once per call. @param what e.g. `alipay.trade.query` or `GET /v3/pay/...`. */
export type FaultPlan = (what: string, outTradeNo: string) => Fault | undefined;

/** Small, fast, seedable generator (mulberry32), so that a failing run can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const noFaults: FaultPlan = () => undefined;
