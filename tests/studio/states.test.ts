import { chargeMoves, holdMoves, orderMoves, refundMoves } from '../../src/studio/order.js';
import { lookMoves, photoMoves } from '../../src/studio/photo.js';
import { assertMove, type Moves } from '../../src/studio/state-machine.js';

const machines: Record<string, Moves<string>> = {
  ...{ photo: photoMoves, look: lookMoves, order: orderMoves },
  ...{ charge: chargeMoves, refund: refundMoves, hold: holdMoves },
};

test.each(Object.entries(machines))('%s: an illegal move is our bug', (name, moves) => {
  for (const from of Object.keys(moves)) {
    for (const to of Object.keys(moves)) {
      const move = () => assertMove(moves, from, to, name);
      if (moves[from]!.includes(to)) move();
      else expect(move).toThrow(`illegal move of ${name}: ${from} -> ${to}`);
    }
  }
});

test('money that is ours never becomes unpaid, and what is final stays', () => {
  const paid = ['paid', 'fulfilled', 'credited', 'refunded'] as const;
  for (const state of paid) {
    for (const next of orderMoves[state]) expect(paid).toContain(next);
  }
  expect(chargeMoves.paid).toEqual([]);
  expect(holdMoves.posted).toEqual([]);
  expect(holdMoves.voided).toEqual([]);
  expect(refundMoves.succeeded).toEqual([]);
  expect(photoMoves.deleted).toEqual([]);
});
