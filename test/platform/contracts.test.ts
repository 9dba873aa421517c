/**
 * Helper contracts against the running kernel: it must take a call whose arguments follow the
 * contract, and refuse it when one argument does not. Helpers whose arguments need BTF (locks,
 * timers, callbacks, dynptrs, kernel objects other than tasks) are not asked.
 */
import { describe, expect, test } from 'vitest';
import {
  ATTACH_TYPES,
  acceptsMap,
  attachTypeOf,
  contextLayout,
  HELPERS,
  type HelperRow,
  helperFor,
  mapType,
  mayCall,
  PROGRAM_TYPES,
  programType,
  takesPacket,
} from '../../platform/index.ts';
import { callOf, mapTypesToTry, readOnlyArray } from '../support/helper-calls.ts';
import {
  addTo,
  ask,
  copy,
  load,
  loadValue,
  move,
  refusal,
  slot,
  type Target,
} from '../support/kernel-probe.ts';

const reason = refusal();
if (reason !== undefined) console.log(`helper contracts are not checked: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

const UNASKED = new Set(['memory', 'struct_ops', 'ext', 'lsm', 'lirc_mode2', 'tracing']);
const CONFIGURED = new Set(['bpf_probe_write_user', 'bpf_override_return']);
/** Fewer helpers than these being asked would mean that the test has lost its subject. */
const FEWEST_ASKED = 140;

const targets: readonly Target[] = PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).map(
  ({ name, id, attachTypes }) => {
    const attachType = attachTypeOf({ type: name }) ?? attachTypes?.at(-1);
    return {
      type: name,
      id,
      sleepable: name === 'syscall',
      ...(attachType && { attachType, attachId: ATTACH_TYPES.indexOf(attachType) }),
    };
  },
);

interface Case {
  readonly row: HelperRow;
  readonly target: Target;
  readonly name: string;
}

/** Every helper on every program type on which it can be called here. */
function cases(): Case[] {
  return targets.flatMap((target) =>
    HELPERS.flatMap(({ id }) => {
      const row = helperFor(id, target.type);
      if (!row || CONFIGURED.has(row.name)) return [];
      if (!mayCall(row, target.type, target.attachType)) return [];
      if (row.sleeps && !target.sleepable) return [];
      // Sleepable programs may not use the maps that these are for.
      const suited = row.arguments.some(({ kind }) => kind === 'map') && target.sleepable;
      if (suited || callOf(row, target) === undefined) return [];
      return [{ row, target, name: `${target.type} ${row.name}` }];
    }),
  );
}

const all = reason === undefined ? cases() : [];
const spoiled = ({ row, target }: Case, index: number, code: readonly Buffer[]) =>
  ask(target, callOf(row, target, { spoil: new Map([[index, code]]) }) ?? []);

kernel('arguments', () => {
  test('a call that follows the contract is accepted', () => {
    const refused = all.flatMap(({ row, target, name }) => {
      const answer = ask(target, callOf(row, target) ?? []);
      return answer.accepted ? [] : [`${name}: ${answer.reason}`];
    });
    expect(refused).toEqual([]);
    expect(new Set(all.map(({ row }) => row.id)).size).toBeGreaterThan(FEWEST_ASKED);
  });

  test('every argument must be initialised, and no other register', () => {
    const wrong = all.flatMap((each) =>
      each.row.arguments.flatMap((_, index) => {
        if (index >= (each.row.variadicFrom ?? Number.POSITIVE_INFINITY)) return [];
        return spoiled(each, index, []).accepted ? [`${each.name} ${index + 1}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('sizes may be zero where the contract says so', () => {
    const wrong = all.flatMap((each) =>
      each.row.arguments.flatMap(({ kind }, index) => {
        if (kind !== 'size' && kind !== 'size-or-zero') return [];
        const { accepted } = spoiled(each, index, [move(index + 1, 0)]);
        return accepted === (kind === 'size-or-zero') ? [] : [`${each.name} ${index + 1}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('memory that the callee writes may not be read-only', () => {
    const wrong = all.flatMap((each) =>
      each.row.arguments.flatMap(({ kind, access = 'read' }, index) => {
        if (kind !== 'memory' && kind !== 'map-key' && kind !== 'map-value') return [];
        if (each.row.name === 'bpf_map_update_elem') return [];
        const answer = spoiled(each, index, loadValue(index + 1, readOnlyArray()));
        return answer.accepted === (access === 'read') ? [] : [`${each.name} ${index + 1}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('null is accepted where the contract says so', () => {
    const wrong = all.flatMap((each) =>
      each.row.arguments.flatMap(({ kind, nullable, sizeBytes, releases }, index, args) => {
        const pointer = ['memory', 'map-key', 'context', 'btf-socket', 'sock-common'].includes(
          kind,
        );
        if (!pointer || releases || sizeBytes !== undefined) return [];
        const spoil = new Map([[index, [move(index + 1, 0)]]]);
        if (args[index + 1]?.kind === 'size-or-zero') spoil.set(index + 1, [move(index + 2, 0)]);
        const { accepted } = ask(each.target, callOf(each.row, each.target, { spoil }) ?? []);
        return accepted === (nullable ?? false) ? [] : [`${each.name} ${index + 1}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('memory of fixed size and alignment is held to both', () => {
    const at = (register: number, offset: number) => [copy(register, 10), addTo(register, offset)];
    const wrong = all.flatMap((each) =>
      each.row.arguments.flatMap(({ sizeBytes, alignBytes = 1 }, index) => {
        if (sizeBytes === undefined) return [];
        const accepted = [sizeBytes, sizeBytes - 1, sizeBytes + 1].map(
          (distance) => spoiled(each, index, at(index + 1, -distance)).accepted,
        );
        const expected = [true, false, alignBytes === 1];
        return accepted.join() === expected.join() ? [] : [`${each.name} ${index + 1}`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});

kernel('licence', () => {
  test('GPL-only helpers refuse other programs, the others do not', () => {
    const wrong = all.flatMap(({ row, target, name }) => {
      // The task that they need comes from a GPL-only helper.
      if (row.arguments.some(({ typeName }) => typeName === 'task_struct')) return [];
      const { log } = ask(target, callOf(row, target) ?? [], 'none');
      return /GPL/.test(log) === row.gpl ? [] : [`${name}: ${!row.gpl}`];
    });
    expect(wrong).toEqual([]);
  });
});

kernel('packets', () => {
  /** r7 points to 64 proven bytes of packet; undefined where the type has none. */
  function packetIn({ type }: Target): Buffer[] | undefined {
    const fields = contextLayout(programType(type)?.context ?? '')?.fields ?? [];
    const start = fields.find(({ kind }) => kind === 'packet');
    const end = fields.find(({ kind }) => kind === 'packet-end');
    if (!start || !end) return undefined;
    const size = start.sizeBytes === 4 ? 4 : 8;
    return [
      load(size, 7, 6, start.offset),
      load(size, 1, 6, end.offset),
      copy(0, 7),
      addTo(0, 64),
      slot(0xbd, 0, 1, 2),
      move(0, 1),
      slot(0x95),
    ];
  }

  test('helpers that move packets make old pointers stale, the others do not', () => {
    const wrong = all.flatMap(({ row, target, name }) => {
      const before = packetIn(target);
      // With a reference in hand the way out of `before` is closed.
      if (!before || row.arguments.some(({ releases }) => releases)) return [];
      const code = callOf(row, target, { before, after: [load(1, 0, 7, 0)] });
      const { accepted } = ask(target, code ?? []);
      return accepted === !row.changesPacket ? [] : [`${name}: changes ${!accepted}`];
    });
    expect(wrong).toEqual([]);
  });

  test('packet pointers are accepted as memory where the contract says so', () => {
    const wrong = all.flatMap(({ row, target, name }) => {
      const before = packetIn(target);
      const type = programType(target.type);
      if (!before || !type) return [];
      return row.arguments.flatMap(({ kind, access = 'read', alignBytes = 1 }, index) => {
        if (kind !== 'memory' && kind !== 'map-key' && kind !== 'map-value') return [];
        // Packets lie at odd addresses.
        if (alignBytes > 1) return [];
        const spoil = new Map([[index, [copy(index + 1, 7)]]]);
        const { accepted } = ask(target, callOf(row, target, { before, spoil }) ?? []);
        const expected =
          takesPacket(row, type) && (access === 'read' || type.packet === 'read-write');
        return accepted === expected ? [] : [`${name} ${index + 1}: ${accepted}`];
      });
    });
    expect(wrong).toEqual([]);
  });
});

kernel('maps', () => {
  test('helpers accept the map types that the table says', () => {
    const seen = new Set<number>();
    const wrong: string[] = [];
    for (const { row, target, name } of all) {
      if (!row.arguments.some(({ kind }) => kind === 'map') || seen.has(row.id)) continue;
      seen.add(row.id);
      for (const type of mapTypesToTry) {
        const map = mapType(type);
        if (!map || (map.updateTakes === 'socket' && row.id === 2)) continue;
        // A socket that is found must be released, which the call does not do.
        if (map.lookup === 'socket' && row.id === 1) continue;
        const { accepted } = ask(target, callOf(row, target, { map: type }) ?? []);
        const ours = acceptsMap(row, map, target.type, target.attachType);
        if (accepted !== ours) wrong.push(`${name} of ${type}: ${accepted}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
