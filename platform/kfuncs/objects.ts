/**
 * Kernel functions on objects: allocation, lists and trees, references to tasks and cgroups, keys,
 * exceptions, CPU masks, connection tracking, cryptography. Prototypes, program types and flags: the
 * running kernel's BTF and its answers (6.18), Documentation/bpf/{kfuncs,cpumasks}.rst.
 */

import type { KfuncArgument, KfuncReturn, KfuncRow } from '../types.ts';
import {
  BOOLEAN,
  contextOf,
  DYNPTR,
  found,
  IGNORED,
  MEMORY,
  MEMORY_INOUT,
  NUMBER,
  OBJECT_HOLDERS,
  object,
  plain,
  released,
  row,
  SCALAR,
  SIZE,
  sharing,
  TRACERS,
  VOID,
} from './contract.ts';

const holder = sharing({ programTypes: OBJECT_HOLDERS });
/** Of lists and trees, whose lock is held. */
const graph = sharing({ programTypes: OBJECT_HOLDERS, underLock: true });

const LOCAL_TYPE = { kind: 'local-type' } as const;
const LIST = { kind: 'list-head' } as const;
const LIST_NODE = { kind: 'list-node', releases: true } as const;
const TREE = { kind: 'rbtree-root' } as const;
const NODE_IN_TREE = { kind: 'node-in-tree' } as const;
const OWNED_LIST_NODE: KfuncReturn = { kind: 'list-node', nullable: true, acquires: true };
const OWNED_TREE_NODE: KfuncReturn = { kind: 'rbtree-node', nullable: true, acquires: true };
const SEEN_LIST_NODE: KfuncReturn = { kind: 'list-node', nullable: true, nonOwning: true };
const SEEN_TREE_NODE: KfuncReturn = { kind: 'rbtree-node', nullable: true, nonOwning: true };

const ALLOCATION: readonly KfuncRow[] = [
  holder(
    'obj_new_impl',
    '6.2',
    [LOCAL_TYPE, IGNORED],
    { kind: 'allocated', nullable: true, acquires: true },
    'acquire',
    'ret-null',
  ),
  holder('obj_drop_impl', '6.2', [{ kind: 'allocated', releases: true }, IGNORED], VOID, 'release'),
  holder(
    'percpu_obj_new_impl',
    '6.7',
    [LOCAL_TYPE, IGNORED],
    { kind: 'percpu-allocated', nullable: true, acquires: true },
    'acquire',
    'ret-null',
  ),
  holder(
    'percpu_obj_drop_impl',
    '6.7',
    [{ kind: 'percpu-allocated', releases: true }, IGNORED],
    VOID,
    'release',
  ),
  graph(
    'refcount_acquire_impl',
    '6.4',
    [{ kind: 'refcounted' }, IGNORED],
    { kind: 'same', nullable: true, acquires: true },
    'acquire',
    'ret-null',
    'rcu',
  ),
];

const GRAPH: readonly KfuncRow[] = [
  graph('list_push_front_impl', '6.2', [LIST, LIST_NODE, IGNORED, IGNORED], SCALAR),
  graph('list_push_back_impl', '6.2', [LIST, LIST_NODE, IGNORED, IGNORED], SCALAR),
  graph('list_pop_front', '6.2', [LIST], OWNED_LIST_NODE, 'acquire', 'ret-null'),
  graph('list_pop_back', '6.2', [LIST], OWNED_LIST_NODE, 'acquire', 'ret-null'),
  graph('list_front', '6.16', [LIST], SEEN_LIST_NODE, 'ret-null'),
  graph('list_back', '6.16', [LIST], SEEN_LIST_NODE, 'ret-null'),
  graph(
    'rbtree_add_impl',
    '6.3',
    [
      TREE,
      { kind: 'rbtree-node', releases: true },
      { kind: 'callback', callback: 'rbtree-less' },
      IGNORED,
      IGNORED,
    ],
    SCALAR,
  ),
  graph('rbtree_remove', '6.3', [TREE, NODE_IN_TREE], OWNED_TREE_NODE, 'acquire', 'ret-null'),
  graph('rbtree_first', '6.3', [TREE], SEEN_TREE_NODE, 'ret-null'),
  graph('rbtree_root', '6.16', [TREE], SEEN_TREE_NODE, 'ret-null'),
  graph('rbtree_left', '6.16', [TREE, NODE_IN_TREE], SEEN_TREE_NODE, 'ret-null'),
  graph('rbtree_right', '6.16', [TREE, NODE_IN_TREE], SEEN_TREE_NODE, 'ret-null'),
];

const TASK = object('task_struct');
const CGROUP = object('cgroup');

const TASKS_AND_CGROUPS: readonly KfuncRow[] = [
  holder('task_acquire', '6.2', [TASK], found('task_struct'), 'acquire', 'rcu', 'ret-null'),
  holder('task_release', '6.2', [released('task_struct')], VOID, 'release'),
  holder('task_from_pid', '6.2', [NUMBER], found('task_struct'), 'acquire', 'ret-null'),
  holder('task_from_vpid', '6.14', [NUMBER], found('task_struct'), 'acquire', 'ret-null'),
  holder('task_under_cgroup', '6.5', [TASK, CGROUP], SCALAR, 'rcu'),
  holder('task_get_cgroup1', '6.8', [TASK, NUMBER], found('cgroup'), 'acquire', 'rcu', 'ret-null'),
  holder('cgroup_acquire', '6.2', [CGROUP], found('cgroup'), 'acquire', 'rcu', 'ret-null'),
  holder('cgroup_release', '6.2', [released('cgroup')], VOID, 'release'),
  holder('cgroup_ancestor', '6.2', [CGROUP, NUMBER], found('cgroup'), 'acquire', 'rcu', 'ret-null'),
  holder('cgroup_from_id', '6.4', [NUMBER], found('cgroup'), 'acquire', 'ret-null'),
  holder('send_signal_task', '6.13', [TASK, NUMBER, NUMBER, NUMBER], SCALAR, 'trusted-args'),
  holder('throw', '6.7', [NUMBER], { kind: 'never' }, 'throws'),
];

const GROUP_STATE = object('cgroup_subsys_state');
/** Statistics of control groups; these two lack the prefix of the others. */
const STATISTICS: readonly KfuncRow[] = [
  {
    ...row('', '6.1', [GROUP_STATE, NUMBER], VOID, { programTypes: TRACERS }),
    name: 'css_rstat_updated',
  },
  {
    ...row('', '6.1', [GROUP_STATE], VOID, { programTypes: TRACERS, flags: ['sleepable'] }),
    name: 'css_rstat_flush',
  },
];

const KEYS: readonly KfuncRow[] = [
  holder(
    'lookup_user_key',
    '6.1',
    [NUMBER, NUMBER],
    found('bpf_key'),
    'acquire',
    'ret-null',
    'sleepable',
  ),
  holder('lookup_system_key', '6.1', [NUMBER], found('bpf_key'), 'acquire', 'ret-null'),
  holder('key_put', '6.1', [released('bpf_key')], VOID, 'release'),
];

const masks = sharing({ programTypes: [...TRACERS, 'syscall'] });
const MASK = object('cpumask');
const OWN_MASK = object('bpf_cpumask');

/** `bpf_cpumask_${name}` that only looks at masks, by how many CPU numbers and masks it takes. */
const looking = (names: readonly string[], args: readonly KfuncArgument[], returns: KfuncReturn) =>
  names.map((name) => masks(`cpumask_${name}`, '6.3', args, returns, 'rcu'));

const CPU_MASKS: readonly KfuncRow[] = [
  masks('cpumask_create', '6.3', [], found('bpf_cpumask'), 'acquire', 'ret-null'),
  masks('cpumask_release', '6.3', [released('bpf_cpumask')], VOID, 'release'),
  masks(
    'cpumask_acquire',
    '6.3',
    [OWN_MASK],
    { ...found('bpf_cpumask'), nullable: false },
    'acquire',
    'trusted-args',
  ),
  ...looking(['first', 'first_zero', 'any_distribute', 'weight'], [MASK], SCALAR),
  ...looking(['first_and', 'any_and_distribute'], [MASK, MASK], SCALAR),
  ...looking(['empty', 'full'], [MASK], BOOLEAN),
  ...looking(['equal', 'intersects', 'subset'], [MASK, MASK], BOOLEAN),
  ...looking(['test_cpu'], [NUMBER, MASK], BOOLEAN),
  ...looking(['set_cpu', 'clear_cpu'], [NUMBER, OWN_MASK], VOID),
  ...looking(['test_and_set_cpu', 'test_and_clear_cpu'], [NUMBER, OWN_MASK], BOOLEAN),
  ...looking(['setall', 'clear'], [OWN_MASK], VOID),
  ...looking(['and'], [OWN_MASK, MASK, MASK], BOOLEAN),
  ...looking(['or', 'xor'], [OWN_MASK, MASK, MASK], VOID),
  ...looking(['copy'], [OWN_MASK, MASK], VOID),
  masks('cpumask_populate', '6.15', [MASK, MEMORY, SIZE], SCALAR, 'rcu'),
];

const tracked = sharing({ programTypes: ['sched_cls', 'xdp'] });
const TUPLE_AND_OPTIONS = [MEMORY_INOUT, SIZE, MEMORY_INOUT, SIZE];
const CONNECTION = object('nf_conn');
const NEW_CONNECTION = object('nf_conn___init');
/** union nf_inet_addr. */
const INET_ADDRESS = plain(16);

const CONNECTIONS: readonly KfuncRow[] = [
  ...(['xdp', 'skb'] as const).flatMap((host) => {
    const context = contextOf(host === 'xdp' ? 'xdp_buff' : 'sk_buff');
    const connection = sharing({ programTypes: [host === 'xdp' ? 'xdp' : 'sched_cls'] });
    const args = [context, ...TUPLE_AND_OPTIONS];
    return [
      connection(`${host}_ct_alloc`, '6.0', args, found('nf_conn___init'), 'acquire', 'ret-null'),
      connection(`${host}_ct_lookup`, '5.18', args, found('nf_conn'), 'acquire', 'ret-null'),
    ];
  }),
  tracked(
    'ct_insert_entry',
    '6.0',
    [released('nf_conn___init')],
    found('nf_conn'),
    'acquire',
    'ret-null',
    'release',
  ),
  tracked('ct_release', '5.18', [released('nf_conn')], VOID, 'release'),
  tracked('ct_set_timeout', '6.0', [NEW_CONNECTION, NUMBER], VOID, 'trusted-args'),
  tracked('ct_change_timeout', '6.0', [CONNECTION, NUMBER], SCALAR, 'trusted-args'),
  tracked('ct_set_status', '6.0', [NEW_CONNECTION, NUMBER], SCALAR, 'trusted-args'),
  tracked('ct_change_status', '6.0', [CONNECTION, NUMBER], SCALAR, 'trusted-args'),
  tracked('ct_set_nat_info', '6.1', [NEW_CONNECTION, INET_ADDRESS, NUMBER, NUMBER], SCALAR),
];

const CIPHER = object('bpf_crypto_ctx');
const crypt = sharing({ programTypes: ['sched_cls', 'sched_act', 'xdp'], flags: ['rcu'] });
const cipher = sharing({ programTypes: ['syscall'] });
const NULLABLE_DYNPTR = { ...DYNPTR, nullable: true };

const CRYPTOGRAPHY: readonly KfuncRow[] = [
  cipher(
    'crypto_ctx_create',
    '6.10',
    [MEMORY, SIZE, plain(4)],
    found('bpf_crypto_ctx'),
    'acquire',
    'ret-null',
    'sleepable',
  ),
  cipher(
    'crypto_ctx_acquire',
    '6.10',
    [CIPHER],
    found('bpf_crypto_ctx'),
    'acquire',
    'rcu',
    'ret-null',
  ),
  cipher('crypto_ctx_release', '6.10', [released('bpf_crypto_ctx')], VOID, 'release'),
  crypt('crypto_encrypt', '6.10', [CIPHER, DYNPTR, DYNPTR, NULLABLE_DYNPTR], SCALAR),
  crypt('crypto_decrypt', '6.10', [CIPHER, DYNPTR, DYNPTR, NULLABLE_DYNPTR], SCALAR),
];

const FILES: readonly KfuncRow[] = [
  row('get_task_exe_file', '6.12', [TASK], found('file'), {
    programTypes: ['lsm'],
    flags: ['acquire', 'trusted-args', 'ret-null'],
  }),
  row('put_file', '6.12', [released('file')], VOID, { programTypes: ['lsm'], flags: ['release'] }),
  row('path_d_path', '6.12', [object('path'), { kind: 'memory', access: 'write' }, SIZE], SCALAR, {
    programTypes: ['lsm'],
    flags: ['trusted-args'],
  }),
  row('get_file_xattr', '6.8', [object('file'), { kind: 'string' }, DYNPTR], SCALAR, {
    programTypes: ['lsm'],
    flags: ['sleepable', 'trusted-args'],
  }),
  row('get_dentry_xattr', '6.12', [object('dentry'), { kind: 'string' }, DYNPTR], SCALAR, {
    programTypes: ['lsm'],
    flags: ['sleepable', 'trusted-args'],
  }),
  row('set_dentry_xattr', '6.14', [object('dentry'), { kind: 'string' }, DYNPTR, NUMBER], SCALAR, {
    programTypes: ['lsm'],
    flags: ['sleepable', 'trusted-args'],
  }),
  row('remove_dentry_xattr', '6.14', [object('dentry'), { kind: 'string' }], SCALAR, {
    programTypes: ['lsm'],
    flags: ['sleepable', 'trusted-args'],
  }),
  row('sock_destroy', '6.5', [object('sock_common')], SCALAR, {
    programTypes: ['tracing'],
    attachTypes: { tracing: ['trace_iter'] },
    flags: ['trusted-args'],
  }),
  row('session_is_return', '6.10', [], BOOLEAN, {
    programTypes: ['kprobe'],
    attachTypes: { kprobe: ['trace_kprobe_session', 'trace_uprobe_session'] },
  }),
  row(
    'session_cookie',
    '6.10',
    [],
    { kind: 'memory', sizeBytes: 8 },
    {
      programTypes: ['kprobe'],
      attachTypes: { kprobe: ['trace_kprobe_session', 'trace_uprobe_session'] },
    },
  ),
];

export const OBJECT_KFUNCS: readonly KfuncRow[] = [
  ...ALLOCATION,
  ...GRAPH,
  ...TASKS_AND_CGROUPS,
  ...STATISTICS,
  ...KEYS,
  ...CPU_MASKS,
  ...CONNECTIONS,
  ...CRYPTOGRAPHY,
  ...FILES,
];
