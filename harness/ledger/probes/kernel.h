// SPDX-License-Identifier: GPL-2.0-only

/* The few fields of the kernel's structures that are read. Where they are in a
 * running kernel is worked out from its BTF when the programs are loaded. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long long counter;
} atomic64_t;

struct sock_common {
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
};

struct sk_buff {
	struct sock *sk;
	void (*destructor)(struct sk_buff *skb);
	unsigned int len;
	unsigned int truesize;
};

struct net_device {
	char name[16];
	int ifindex;
};

struct neigh_table {
	int family;
};

struct neighbour {
	struct neigh_table *tbl;
	struct net_device *dev;
	__u8 nud_state;
	__u8 primary_key[0];
};

struct net;
struct nf_hook_state;

#pragma clang attribute pop
