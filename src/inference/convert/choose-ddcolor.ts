/** What decides which size of DDColor a machine can carry. */
export interface Machine {
  /** Main memory, bytes. */
  readonly totalMemoryBytes: number;
  /** Memory of the graphics card the network will run on; absent on a CPU. */
  readonly cardMemoryBytes?: number;
}

const GB = 1e9;
/**
 * The large network holds 0.9 GB of weights; while it is loaded they are there twice, and at 512 px
 * it needs as much again for its values. 6 GB cards (as sold: 6.4e9 bytes or 5.9e9 usable) carry
 * it; on a box without a card the studio, the database and a master in the making need the rest.
 */
const LARGE_CARD_BYTES = 5.5 * GB;
const LARGE_MAIN_BYTES = 7.5 * GB;

/** What `--model ddcolor` means on a machine: the large network where it fits, else the tiny one. */
export function chooseDdcolor(machine: Machine): 'ddcolor-modelscope' | 'ddcolor-tiny' {
  const { totalMemoryBytes, cardMemoryBytes } = machine;
  const fits =
    cardMemoryBytes === undefined
      ? totalMemoryBytes >= LARGE_MAIN_BYTES
      : cardMemoryBytes >= LARGE_CARD_BYTES && totalMemoryBytes >= LARGE_CARD_BYTES / 2;
  return fits ? 'ddcolor-modelscope' : 'ddcolor-tiny';
}
