// SPDX-License-Identifier: GPL-2.0-only

//go:build ignore

/* Follows each skb that is charged to a socket the ledger was told of: from its
 * charge through the places that no tracepoint tells of to the end of the
 * charge. Which sockets those are is in `senders`, by socket cookie; what a
 * socket's skbs do goes to the ring found there. */

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel.h"

#define MAX_SENDERS 4096
#define NUD_STALE 0x04
#define NF_VERDICT_QBITS 16

enum kind {
	CHARGE = 1,
	OWN,
	UNCHARGE,
	CLONE,
	NEIGHBOUR,
	NFQUEUE,
	XFRM,
	READING,
};

struct event {
	__u64 at;
	__u64 skb;
	__u64 parent;
	__u32 kind;
	__u32 truesize;
	__u32 len;
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 ifindex;
	__u16 family;
	__u16 queue;
	char dev[16];
	__u8 addr[16];
};

const struct event *unused_event __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, MAX_SENDERS);
	__type(key, __u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 1 << 20);
	});
} senders SEC(".maps");

/* How many events did not fit, by socket cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SENDERS);
	__type(key, __u64);
	__type(value, __u64);
} losses SEC(".maps");

/* The ledger looks often enough by itself: nobody is woken for an event. */
static __always_inline void commit(struct event *e)
{
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

static __always_inline struct event *reserve(__u64 cookie, __u32 kind)
{
	void *ring = bpf_map_lookup_elem(&senders, &cookie);
	if (!ring)
		return NULL;
	struct event *e = bpf_ringbuf_reserve(ring, sizeof(*e), 0);
	if (!e) {
		__u64 *lost = bpf_map_lookup_elem(&losses, &cookie);
		if (lost)
			__sync_fetch_and_add(lost, 1);
		return NULL;
	}
	__builtin_memset(e, 0, sizeof(*e));
	__u64 task = bpf_get_current_pid_tgid();
	e->at = bpf_ktime_get_ns();
	e->kind = kind;
	e->cpu = bpf_get_smp_processor_id();
	e->pid = task >> 32;
	e->tid = (__u32)task;
	return e;
}

/* The event of an skb that sk is charged with, or NULL if sk is no sender. */
static __always_inline struct event *about(struct sk_buff *skb, struct sock *sk, __u32 kind)
{
	if (!skb || !sk)
		return NULL;
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	if (!cookie)
		return NULL;
	struct event *e = reserve(cookie, kind);
	if (!e)
		return NULL;
	e->skb = (__u64)skb;
	e->truesize = skb->truesize;
	e->len = skb->len;
	return e;
}

SEC("fexit/sock_alloc_send_pskb")
int BPF_PROG(charge, struct sock *sk, unsigned long header_len, unsigned long data_len, int noblock, int *errcode,
	     int max_page_order, struct sk_buff *skb)
{
	struct event *e = about(skb, sk, CHARGE);
	if (e)
		commit(e);
	return 0;
}

SEC("fexit/skb_set_owner_w")
int BPF_PROG(own, struct sk_buff *skb, struct sock *sk)
{
	struct event *e = about(skb, sk, OWN);
	if (e)
		commit(e);
	return 0;
}

SEC("fentry/sock_wfree")
int BPF_PROG(uncharge, struct sk_buff *skb)
{
	struct event *e = about(skb, skb->sk, UNCHARGE);
	if (e)
		commit(e);
	return 0;
}

/* A clone carries no charge; who holds it holds the packet all the same. */
SEC("fexit/skb_clone")
int BPF_PROG(clone, struct sk_buff *skb, unsigned int gfp, struct sk_buff *copy)
{
	if (!copy)
		return 0;
	struct event *e = about(skb, skb->sk, CLONE);
	if (!e)
		return 0;
	e->parent = e->skb;
	e->skb = (__u64)copy;
	commit(e);
	return 0;
}

/* An entry that was only stale lets the packet pass. */
SEC("fentry/__neigh_event_send")
int BPF_PROG(neighbour, struct neighbour *neigh, struct sk_buff *skb)
{
	if (!skb || neigh->nud_state & NUD_STALE)
		return 0;
	struct event *e = about(skb, skb->sk, NEIGHBOUR);
	if (!e)
		return 0;
	e->family = neigh->tbl->family;
	e->ifindex = neigh->dev->ifindex;
	bpf_core_read(e->dev, sizeof(e->dev), &neigh->dev->name);
	bpf_core_read(e->addr, sizeof(e->addr), &neigh->primary_key);
	commit(e);
	return 0;
}

SEC("fentry/nf_queue")
int BPF_PROG(nfqueue, struct sk_buff *skb, struct nf_hook_state *state, unsigned int index, unsigned int verdict)
{
	struct event *e = about(skb, skb->sk, NFQUEUE);
	if (!e)
		return 0;
	e->queue = verdict >> NF_VERDICT_QBITS;
	commit(e);
	return 0;
}

SEC("fentry/xdst_queue_output")
int BPF_PROG(xfrm, struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct event *e = about(skb, skb->sk, XFRM);
	if (e)
		commit(e);
	return 0;
}

/* Not attached anywhere: the ledger runs it with an skb's address, which may be
 * stale, to learn what that skb is charged with now. */
SEC("raw_tp")
int reading(struct bpf_raw_tracepoint_args *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx->args[0];
	if (!BPF_CORE_READ(skb, destructor))
		return 0;
	__u64 cookie = BPF_CORE_READ(skb, sk, __sk_common.skc_cookie.counter);
	if (!cookie)
		return 0;
	struct event *e = reserve(cookie, READING);
	if (!e)
		return 0;
	e->skb = (__u64)skb;
	e->truesize = BPF_CORE_READ(skb, truesize);
	e->len = BPF_CORE_READ(skb, len);
	commit(e);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
