/** A statement that may read or sort more than it returns. */
interface Exception {
  /** All that its plan may have against it. */
  readonly allows: RegExp;
  readonly why: string;
}

const newest: Exception = {
  allows: /^(SCAN \w+ USING INDEX \w+|Index Scan of all of \w+)$/,
  why: 'the newest of all: reads an index backwards and stops at the limit',
};
const figure: Exception = {
  allows:
    /^(SCAN \w+( USING COVERING INDEX \w+)?|USE TEMP B-TREE FOR GROUP BY|Seq Scan on \w+|Sort of \d+ rows|(Index Only|Bitmap Index) Scan of all of \w+|, )+$/,
  why: 'a figure at a glance: counts what is under way, or index entries of all',
};
const period: Exception = {
  allows: /^(USE TEMP B-TREE FOR (GROUP BY|count\(DISTINCT\))|Sort of \d+ rows)$/,
  why: 'groups what the period returned, found by its time',
};

/** By whom they are run. */
export const exceptions: Readonly<Record<string, Exception>> = {
  'orders.list': newest,
  'operatorLog.list': newest,
  'queueReports.list': newest,
  'orders.photosOf': {
    allows: /^USE TEMP B-TREE FOR ORDER BY$/,
    why: 'sorts the photos of one order: 50 at most',
  },
  'photos.idle': {
    allows: /^USE TEMP B-TREE FOR ORDER BY$/,
    why: 'without statistics SQLite finds what is under way by its state and sorts that',
  },
  'queue.lease': {
    allows: /^USE TEMP B-TREE FOR ORDER BY$/,
    why: 'sorts the first waiting job of each name',
  },
  'queueReports.counts': figure,
  'monitor.backlog': figure,
  'monitor.photos': figure,
  'monitor.orders': figure,
  'monitor.charges': figure,
  'monitor.refunds': figure,
  'reports.paidSince': period,
  'periods.period': period,
};
