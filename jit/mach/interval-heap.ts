/**
 * The intervals that wait for a home, earliest start first. Splitting adds intervals while others are
 * taken, so a sorted list will not do.
 */
import type { Interval } from './intervals.ts';

/** Binary heap of intervals by start. */
export class IntervalHeap {
  readonly #heap: Interval[] = [];

  push(interval: Interval): void {
    const heap = this.#heap;
    let i = heap.push(interval) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.start <= interval.start) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = interval;
  }

  pop(): Interval | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.start < heap[child]!.start) child++;
      if (heap[child]!.start >= last.start) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
