// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/rlimit"
	"github.com/vishvananda/netlink"

	"skleak/record"
	"skleak/scenarios"
)

// xdpDriverMode is XDP_FLAGS_DRV_MODE (include/uapi/linux/if_link.h): the
// driver runs the program itself. Only then does a veth use its ring
// (drivers/net/veth.c, veth_xdp_set).
const xdpDriverMode = 1 << 2

// What a program returns (include/uapi/linux/bpf.h, enum xdp_action).
const (
	xdpDrop = 1
	xdpPass = 2
)

// attachXDP gives the link its program, if it is to have one. The link keeps
// it until it is deleted.
func (lk *link) attachXDP(l netlink.Link) (err error) {
	if lk.xdp == "" {
		return nil
	}
	action := int32(xdpPass)
	if lk.xdp == scenarios.XDPDrop {
		action = xdpDrop
	}
	program, err := loadXDP(action)
	if err != nil {
		return &record.UnsupportedError{Feature: "an XDP program", Hint: "root, CONFIG_BPF_SYSCALL", Err: err}
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	err = lk.space.do(func() error { return netlink.LinkSetXdpFdWithFlags(l, program.FD(), xdpDriverMode) })
	if err != nil {
		return &record.UnsupportedError{Feature: fmt.Sprintf("XDP in the driver of %s", lk.kind), Hint: "a kernel that has it", Err: err}
	}
	return nil
}

func loadXDP(action int32) (*ebpf.Program, error) {
	// NB: before 5.11 a program counts as locked memory.
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, err
	}
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "skleak_xdp", Type: ebpf.XDP, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, action), asm.Return()},
	})
}
