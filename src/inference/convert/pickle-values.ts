/**
 * The subset of Python's pickle that state dicts are made of. Nothing is ever executed: a class
 * name is kept as text, and a call is only understood for the few constructors that
 * `callConstructor` knows.
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | ClassName
  | StorageRef
  | TensorRef;

/** A Python tuple. */
export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/** A Python list; it fills while the pickle is read. */
export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

/** A Python dict or OrderedDict with text keys. */
export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<string, PickleValue>;
}
/** `torch.FloatStorage` and the like, as text. */
export interface ClassName {
  readonly kind: 'class';
  readonly name: string;
}
/** Where numbers lie: `data/<key>` in the archive. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly type: string;
  readonly key: string;
  /** Elements. */
  readonly count: number;
}
/** A view of a storage; offset and strides in elements. Not yet checked. */
export interface TensorRef {
  readonly kind: 'tensor';
  readonly storage: StorageRef;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Narrow a value to one of the tagged kinds. */
export function isKind<K extends 'tuple' | 'list' | 'dict' | 'class' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

/** A whole number from zero up. */
export function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
