import { CheckpointDamaged, CheckpointUnsafe } from '../../studio/errors/index.js';
import { isCount, isKind, type PickleDict, type PickleValue } from './pickle-values.js';

const STORAGES = /^torch\.(Float|Half|BFloat16|Double|Long|Int|Short|Char|Byte|Bool)Storage$/;
const CONSTRUCTORS = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
]);

/** Stands on the pickle machine's stack where a group of items begins. */
export const MARK = Symbol('mark');
/** Nothing a state dict of 100,000 tensors needs is deeper. */
const MAX_STACK = 400_000;

type Slot = PickleValue | typeof MARK;

/** The stack, the memo and what may be built on them. Opcodes are in `pickle.ts`. */
export class PickleMachine {
  private at = 0;
  private readonly stack: Slot[] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    private readonly bytes: Buffer,
    private readonly file: string,
  ) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw this.damaged('it ends in the middle');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.damaged('it ends in the middle of a name');
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  push(value: Slot): void {
    if (this.stack.length >= MAX_STACK) throw this.damaged('it nests or lists too much');
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw this.damaged('a value is missing');
    return value;
  }

  popToMark(): PickleValue[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw this.damaged('a mark is missing');
    const items = this.stack.splice(mark + 1) as PickleValue[];
    this.stack.pop();
    return items;
  }

  remember(key: number): void {
    const top = this.pop();
    this.memo.set(key, top);
    this.push(top);
  }

  recall(key: number): void {
    const value = this.memo.get(key);
    if (value === undefined) throw this.damaged(`memo ${key} is empty`);
    this.push(value);
  }

  tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop()).reverse();
    this.push({ kind: 'tuple', items });
  }

  dict(): PickleDict {
    const value = this.pop();
    if (!isKind(value, 'dict')) throw this.damaged('a dictionary is missing');
    return value;
  }

  setItems(items: PickleValue[]): void {
    const dict = this.dict();
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (typeof key !== 'string' || value === undefined)
        throw this.damaged('a dictionary key is not text');
      dict.entries.set(key, value);
    }
    this.push(dict);
  }

  append(items: PickleValue[]): void {
    const list = this.pop();
    if (!isKind(list, 'list')) throw this.damaged('a list is missing');
    for (const item of items) list.items.push(item);
    this.push(list);
  }

  className(): void {
    const name = `${this.line()}.${this.line()}`;
    if (!CONSTRUCTORS.has(name) && !STORAGES.test(name))
      throw this.unsafe(`class ${JSON.stringify(name.slice(0, 200))}`);
    this.push({ kind: 'class', name });
  }

  call(): void {
    const args = this.pop();
    const target = this.pop();
    if (!isKind(target, 'class') || !CONSTRUCTORS.has(target.name) || !isKind(args, 'tuple'))
      throw this.unsafe('a call of something that is not a constructor of tensors');
    this.push(this.construct(target.name, args.items));
  }

  /** `('storage', class, key, location, element count)`; the location (cpu, cuda:0) is ignored. */
  storage(): void {
    const id = this.pop();
    const [tag, type, key, , count] = isKind(id, 'tuple') ? id.items : [];
    const fits = isKind(type, 'class') && typeof key === 'string' && isCount(count);
    if (tag !== 'storage' || !fits || !STORAGES.test(type.name))
      throw this.damaged('a storage is described wrongly');
    this.push({ kind: 'storage', type: type.name, key, count });
  }

  long(): void {
    const digits = this.take(this.take(1)[0]!);
    if (digits.length > 8) throw this.damaged('a number is longer than 64 bits');
    let value = 0n;
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    this.push(Number(BigInt.asIntN(digits.length * 8, value)));
  }

  /** BUILD attaches attributes (`_metadata`) to an OrderedDict; they carry no weights. */
  build(): void {
    this.pop();
    this.push(this.dict());
  }

  damaged(detail: string): CheckpointDamaged {
    return new CheckpointDamaged(this.file, `data.pkl, byte ${this.at}: ${detail}`);
  }

  unsafe(what: string): CheckpointUnsafe {
    return new CheckpointUnsafe(this.file, what);
  }

  private construct(name: string, args: readonly PickleValue[]): PickleValue {
    if (name === 'collections.OrderedDict') {
      if (args.length > 0) throw this.damaged('OrderedDict with arguments');
      return { kind: 'dict', entries: new Map() };
    }
    if (name === 'torch._utils._rebuild_parameter') {
      if (!isKind(args[0], 'tensor')) throw this.damaged('a parameter without a tensor');
      return args[0];
    }
    const [storage, offset, shape, strides] = args;
    if (!isKind(storage, 'storage') || !isCount(offset))
      throw this.damaged('a tensor is described wrongly');
    return {
      kind: 'tensor',
      storage,
      offset,
      shape: this.integers(shape),
      strides: this.integers(strides),
    };
  }

  private integers(value: PickleValue | undefined): number[] {
    if (!isKind(value, 'tuple') || !value.items.every((n) => Number.isSafeInteger(n)))
      throw this.damaged('a shape is not a tuple of whole numbers');
    return value.items as number[];
  }
}
