import { MARK, PickleMachine } from './pickle-machine.js';
import type { PickleValue } from './pickle-values.js';

/** Names of opcodes that are refused, for messages. */
const REFUSED: Readonly<Record<string, string>> = {
  i: 'INST',
  o: 'OBJ',
  '\x81': 'NEWOBJ',
  '\x92': 'NEWOBJ_EX',
  '\x93': 'STACK_GLOBAL',
  '\x82': 'EXT1',
  '\x83': 'EXT2',
  '\x84': 'EXT4',
  P: 'PERSID',
  g: 'GET',
  p: 'PUT',
  '0': 'POP',
  '1': 'POP_MARK',
  '2': 'DUP',
  '\x94': 'MEMOIZE',
  '\x95': 'FRAME',
  '\x8c': 'SHORT_BINUNICODE',
  U: 'SHORT_BINSTRING',
  T: 'BINSTRING',
  S: 'STRING',
  I: 'INT',
  L: 'LONG',
  '\x8b': 'LONG4',
  B: 'BINBYTES',
  C: 'SHORT_BINBYTES',
};

/**
 * Interpret a pickle of protocol 2.
 * @param bytes the whole of `data.pkl`.
 * @param file name for messages.
 * @throws {CheckpointUnsafe} an opcode or class that state dicts do not need; names it.
 * @throws {CheckpointDamaged} cut short or inconsistent.
 */
export function readPickle(bytes: Buffer, file: string): PickleValue {
  const machine = new PickleMachine(bytes, file);
  for (;;) {
    const code = String.fromCharCode(machine.take(1)[0]!);
    if (code === '.') return machine.pop();
    const step = STEPS[code];
    if (!step) throw machine.unsafe(`opcode ${opcodeName(code)}`);
    step(machine);
  }
}

const STEPS: Readonly<Record<string, (vm: PickleMachine) => void>> = {
  '\x80': (vm) => {
    const protocol = vm.take(1)[0]!;
    if (protocol > 2) throw vm.damaged(`pickle protocol ${protocol} instead of 2`);
  },
  '}': (vm) => vm.push({ kind: 'dict', entries: new Map() }),
  ']': (vm) => vm.push({ kind: 'list', items: [] }),
  ')': (vm) => vm.push({ kind: 'tuple', items: [] }),
  '(': (vm) => vm.push(MARK),
  N: (vm) => vm.push(null),
  '\x88': (vm) => vm.push(true),
  '\x89': (vm) => vm.push(false),
  K: (vm) => vm.push(vm.take(1)[0]!),
  M: (vm) => vm.push(vm.take(2).readUInt16LE()),
  J: (vm) => vm.push(vm.take(4).readInt32LE()),
  '\x8a': (vm) => vm.long(),
  G: (vm) => vm.push(vm.take(8).readDoubleBE()),
  X: (vm) => vm.push(vm.take(vm.take(4).readUInt32LE()).toString('utf8')),
  q: (vm) => vm.remember(vm.take(1)[0]!),
  r: (vm) => vm.remember(vm.take(4).readUInt32LE()),
  h: (vm) => vm.recall(vm.take(1)[0]!),
  j: (vm) => vm.recall(vm.take(4).readUInt32LE()),
  t: (vm) => vm.push({ kind: 'tuple', items: vm.popToMark() }),
  '\x85': (vm) => vm.tuple(1),
  '\x86': (vm) => vm.tuple(2),
  '\x87': (vm) => vm.tuple(3),
  a: (vm) => vm.append([vm.pop()]),
  e: (vm) => vm.append(vm.popToMark()),
  s: (vm) => {
    const value = vm.pop();
    vm.setItems([vm.pop(), value]);
  },
  u: (vm) => vm.setItems(vm.popToMark()),
  c: (vm) => vm.className(),
  Q: (vm) => vm.storage(),
  R: (vm) => vm.call(),
  b: (vm) => vm.build(),
};

function opcodeName(code: string): string {
  const hex = `0x${code.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return REFUSED[code] ? `${REFUSED[code]} (${hex})` : hex;
}
