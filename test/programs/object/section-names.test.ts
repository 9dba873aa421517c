import { expect, it } from 'vitest';
import { ATTACH_TYPES, programType } from '../../../platform/index.ts';
import { sectionMeaning } from '../../../programs/object/index.ts';

it('reads exact names, names with a target, and flags', () => {
  expect(sectionMeaning('xdp')).toEqual({ type: 'xdp', attachType: 'xdp', flags: [] });
  expect(sectionMeaning('xdp.frags/devmap')).toEqual({
    type: 'xdp',
    attachType: 'xdp_devmap',
    flags: ['xdp-has-frags'],
  });
  expect(sectionMeaning('tc/ingress')).toMatchObject({ attachType: 'tcx_ingress' });
  expect(sectionMeaning('?lsm.s/file_open')).toEqual({
    type: 'lsm',
    attachType: 'lsm_mac',
    attachTarget: 'file_open',
    flags: ['sleepable'],
  });
  expect(sectionMeaning('tracepoint/syscalls/sys_enter_open')).toMatchObject({
    type: 'tracepoint',
    attachTarget: 'syscalls/sys_enter_open',
  });
  expect(sectionMeaning('kprobe')).toEqual({ type: 'kprobe', flags: [] });
  expect(sectionMeaning('memory/1500')).toEqual({ type: 'memory', flags: [], contextSize: 1500 });
});

it('takes names from before libbpf 1.0, and no others', () => {
  expect(sectionMeaning('xdp_filter').type).toBe('xdp');
  expect(sectionMeaning('socket1').type).toBe('socket_filter');
  expect(sectionMeaning('classifier/from-netdev').type).toBe('sched_cls');
  for (const name of ['', 'xdpfilter', 'mystery', 'memory', 'memory/x', 'memory/99999999999', '/x'])
    expect(sectionMeaning(name)).toEqual({ type: 'unspec', flags: [] });
});

it('names types that the platform knows', () => {
  for (const name of 'socket kprobe/x uprobe.s/x ksyscall/x usdt tc action netkit/primary tp/x raw_tp/x raw_tp.w/x tp_btf/x fentry/x fmod_ret.s/x freplace/x lsm/x lsm_cgroup/x iter/x syscall xdp/cpumap perf_event lwt_in lwt_out lwt_xmit lwt_seg6local sockops sk_skb sk_skb/verdict sk_msg lirc_mode2 flow_dissector cgroup_skb/ingress cgroup/skb cgroup/sock cgroup/bind6 cgroup/connect_unix cgroup/sysctl cgroup/getsockopt cgroup/dev struct_ops/x sk_lookup netfilter sk_reuseport'.split(
    ' ',
  )) {
    const { type, attachType } = sectionMeaning(name);
    expect(programType(type), name).toBeDefined();
    if (attachType !== undefined) expect(ATTACH_TYPES).toContain(attachType);
  }
});
