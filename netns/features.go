// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// FeatureState is the answer of a probe.
type FeatureState string

// The three answers. FeatureUnknown means that the probe itself failed, for
// want of permission for one; Detail says why.
const (
	FeatureThere   FeatureState = "there"
	FeatureMissing FeatureState = "missing"
	FeatureUnknown FeatureState = "could not tell"
)

// Feature is something this machine has or lacks, found by trying.
type Feature struct {
	Name   string
	State  FeatureState
	Detail string
	// Hint says how to get what is missing; "" where it is there.
	Hint string
}

// Features tries, in a network namespace made for the purpose and gone
// afterwards, what links, readers and filters need beside the link kinds.
// All that is tried is undone. It needs CAP_SYS_ADMIN and CAP_NET_ADMIN, which
// the sandbox child has; without them most answers are FeatureUnknown.
func Features() []Feature {
	s, err := newSpace("probe")
	if err != nil {
		s = nil
	} else {
		defer func() { _ = s.close() }()
	}
	features := []Feature{judgeProbe("network namespace", "", err)}
	for _, p := range probes() {
		if p.inside && s == nil {
			features = append(features, Feature{Name: p.name, State: FeatureUnknown, Detail: "no namespace to try it in"})
			continue
		}
		detail, err := p.try(s)
		features = append(features, judgeProbe(p.name, detail, err))
	}
	return features
}

// probe tries one feature: detail is for the reader, a record.UnsupportedError says
// it is missing, any other that the probe failed.
type probe struct {
	name string
	// inside says that try needs the namespace.
	inside bool
	try    func(*space) (detail string, err error)
}

func probes() []probe {
	return []probe{
		{name: tunDevice, inside: true, try: probeTun},
		{name: "TUN IFF_MULTI_QUEUE", try: func(*space) (string, error) { return probeTunFlag(unix.IFF_MULTI_QUEUE) }},
		{name: "TUN IFF_BACKPRESSURE", try: func(*space) (string, error) { return probeTunFlag(iffBackpressure) }},
		{name: "nf_tables", inside: true, try: probeNftables},
		{name: "NFQUEUE rules", inside: true, try: probeQueueRules},
		{name: "NFQUEUE listener", inside: true, try: probeListener},
		{name: "packet socket", inside: true, try: probePacketSocket},
		{name: iodineCommand, try: func(*space) (string, error) { return findIodine() }},
	}
}

// judgeProbe turns what a probe said into one of the three answers. What was
// not permitted may well be there.
func judgeProbe(name, detail string, err error) Feature {
	if err == nil {
		return Feature{Name: name, State: FeatureThere, Detail: detail}
	}
	f := Feature{Name: name, State: FeatureUnknown, Detail: err.Error()}
	var missing *record.UnsupportedError
	if errors.As(err, &missing) {
		f.Hint = missing.Hint
		f.State = FeatureMissing
	}
	if errors.Is(err, fs.ErrPermission) {
		f.State = FeatureUnknown
		if f.Hint == "" {
			f.Hint = "run as root"
		}
	}
	return f
}

func probeTun(s *space) (string, error) {
	t, err := openTun(s, scenarios.Common{Name: "probe"}, scenarios.TunOptions{}, false)
	if err != nil {
		return "", err
	}
	if err := t.Close(); err != nil {
		return "", err
	}
	return probeTunFeatures()
}

// probeTunFeatures names the flags TUNGETFEATURES answers.
func probeTunFeatures() (string, error) {
	have, err := askTunFeatures()
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range tunFlagNames() {
		if have&f.bit != 0 {
			names = append(names, f.name)
			have &^= f.bit
		}
	}
	if have != 0 {
		names = append(names, fmt.Sprintf("%#x", have))
	}
	return strings.Join(names, " "), nil
}

func askTunFeatures() (uint32, error) {
	fd, err := openTunDevice()
	if err != nil {
		return 0, err
	}
	have, err := tunFeatures(fd)
	return have, errors.Join(err, unix.Close(fd))
}

type tunFlagName struct {
	bit  uint32
	name string
}

// tunFlagNames lists the flags of linux/if_tun.h by value.
func tunFlagNames() []tunFlagName {
	return []tunFlagName{
		{unix.IFF_TUN, "TUN"},
		{unix.IFF_TAP, "TAP"},
		{unix.IFF_NAPI, "NAPI"},
		{unix.IFF_NAPI_FRAGS, "NAPI_FRAGS"},
		{unix.IFF_NO_CARRIER, "NO_CARRIER"},
		{iffBackpressure, "BACKPRESSURE"},
		{unix.IFF_MULTI_QUEUE, "MULTI_QUEUE"},
		{unix.IFF_NO_PI, "NO_PI"},
		{unix.IFF_ONE_QUEUE, "ONE_QUEUE"},
		{unix.IFF_VNET_HDR, "VNET_HDR"},
	}
}

func probeTunFlag(flag uint16) (string, error) {
	fd, err := openTunDevice()
	if err != nil {
		return "", err
	}
	return "", errors.Join(checkTunFeatures(fd, flag), unix.Close(fd))
}

func probeNftables(s *space) (string, error) {
	drop := []scenarios.Filter{{Hook: "output", Action: actionDrop}}
	rules, err := addNftRules(s, drop, nftQueue)
	if err != nil {
		return "", &record.UnsupportedError{Feature: "nf_tables", Hint: "CONFIG_NF_TABLES and CONFIG_NF_TABLES_IPV4 or module nf_tables", Err: err}
	}
	return "", rules.flush()
}

// probeQueueRules names the way that rules to an NFQUEUE go on this kernel.
func probeQueueRules(s *space) (string, error) {
	to := []scenarios.Filter{{Hook: "output", Action: actionNfqueue}}
	rules, way, err := addRules(s, to, ruleWays())
	if err != nil {
		return "", err
	}
	return "by " + way, rules.flush()
}

func probeListener(s *space) (string, error) {
	l, err := listen(s, 0, scenarios.Listener{Verdict: verdictAccept})
	if err != nil {
		return "", err
	}
	return "", l.close()
}

func probePacketSocket(s *space) (string, error) {
	p, err := openPacketSocket(s, "lo", scenarios.UnreadPacketSocket)
	if err != nil {
		return "", err
	}
	return "", p.Close()
}
