/**
 * Several moves that happen at once, as moves that happen one after another.
 *
 * Every destination is written once, so the moves form chains and cycles. A move is safe when its
 * destination is no longer needed as a source. When none is safe only cycles are left: exchanging
 * the two ends of one move puts its destination right, and whoever still wanted the old value of
 * that destination finds it where the source was.
 */

import { InternalError } from '../../isa/index.ts';
import type { Location, Move } from './types.ts';
import { REMATERIALISE } from './types.ts';

export class ParallelMove {
  readonly #from: number[] = [];
  readonly #to: Location[] = [];
  readonly #vreg: number[] = [];

  get size(): number {
    return this.#to.length;
  }

  /** `from` may be REMATERIALISE + n. The same value may be sent to one place twice. */
  add(from: number, to: Location, vreg: number): void {
    const known = this.#to.indexOf(to);
    if (known < 0) {
      this.#from.push(from);
      this.#to.push(to);
      this.#vreg.push(vreg);
    } else if (this.#vreg[known] !== vreg) {
      const both = `${this.#vreg[known]} and ${vreg}`;
      throw new InternalError('register allocation', `values ${both} move to one place`);
    }
  }

  /** Appends the moves in a good order to `moves` and starts anew. */
  sequence(moves: Move[]): void {
    const from = this.#from;
    const to = this.#to;
    const vreg = this.#vreg;
    const drop = (i: number) => {
      from[i] = from.at(-1)!;
      to[i] = to.at(-1)!;
      vreg[i] = vreg.at(-1)!;
      from.pop();
      to.pop();
      vreg.pop();
    };
    for (let i = to.length - 1; i >= 0; i--) if (from[i] === to[i]) drop(i);
    while (to.length > 0) {
      let progress = false;
      for (let i = to.length - 1; i >= 0; i--) {
        if (from.includes(to[i]!)) continue;
        moves.push({ from: from[i]!, to: to[i]!, vreg: vreg[i]!, kind: 'move' });
        drop(i);
        progress = true;
      }
      if (progress) continue;
      this.#swap(moves);
      for (let i = to.length - 1; i >= 0; i--) if (from[i] === to[i]) drop(i);
    }
  }

  /** In a cycle no source is rematerialised: nothing reads its destination otherwise. */
  #swap(moves: Move[]): void {
    const a = this.#from[0]!;
    const b = this.#to[0]!;
    if (a >= REMATERIALISE) {
      throw new InternalError('register allocation', 'a computed value in a cycle of moves');
    }
    moves.push({ from: a, to: b, vreg: this.#vreg[0]!, kind: 'swap' });
    for (let i = 0; i < this.#from.length; i++) {
      if (this.#from[i] === a) this.#from[i] = b;
      else if (this.#from[i] === b) this.#from[i] = a;
    }
  }
}
