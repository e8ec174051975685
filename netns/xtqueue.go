// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// nftQueue is nf_tables' own way to an NFQUEUE (net/netfilter/nft_queue.c).
func nftQueue(number uint16) expr.Any { return &expr.Queue{Num: number, Total: 1} }

// xtQueue is the target of iptables put into an nf_tables rule by nft_compat.
// Its data are struct xt_NFQ_info of linux/netfilter/xt_NFQUEUE.h, padded to
// the 8 bytes nft_compat compares it with; revision 0 is in every kernel.
func xtQueue(number uint16) expr.Any {
	info := xt.Unknown(make([]byte, 8))
	binary.NativeEndian.PutUint16(info, number)
	return &expr.Target{Name: "NFQUEUE", Rev: 0, Info: &info}
}
