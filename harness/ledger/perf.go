// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"skleak/record"
)

const (
	sampleType = unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_CPU |
		unix.PERF_SAMPLE_CALLCHAIN | unix.PERF_SAMPLE_RAW
	// maxChain is how deep a call chain goes.
	maxChain = 20
	// ringBudget is the memory of all rings, in bytes.
	ringBudget = 16 << 20
	leastRing  = 256 << 10
	mostRing   = 4 << 20
	// maxFilter is what the kernel takes as a filter (a page, ftrace_profile_set_filter).
	maxFilter = 4000
)

// perf is the open events of all processors, one ring each.
type perf struct {
	rings []*ring
	// fds are all events; poll are those that own a ring.
	fds, poll []int
	// plain and chained are the frees, without and with call chains.
	plain, chained []int
	decoder        *decoder
	// lost is what records of the rings told of. counts says that each event counts
	// its own losses, those that no later record tells of too (PERF_FORMAT_LOST,
	// 6.0, commit 119a784c8127).
	samples, lost uint64
	counts        bool
}

// lostInAll is how many samples the kernel dropped up to now, by the better of
// two counts.
func (p *perf) lostInAll() (uint64, error) {
	if !p.counts {
		return p.lost, nil
	}
	var sum uint64
	for _, fd := range p.fds {
		// struct { u64 value; u64 lost; }
		var b [16]byte
		if n, err := unix.Read(fd, b[:]); err != nil || n < len(b) {
			return p.lost, fmt.Errorf("read how many samples a perf event lost: %d bytes: %w", n, err)
		}
		sum += binary.NativeEndian.Uint64(b[8:])
	}
	return max(sum, p.lost), nil
}

// streams are what was read of each ring and not booked.
func (p *perf) streams() []*stream {
	var out []*stream
	for _, r := range p.rings {
		out = append(out, &r.stream)
	}
	return out
}

// openPerf opens the events, not yet enabled.
func openPerf(cpus []int, formats map[Kind]Format, devices []string) (p *perf, err error) {
	p = &perf{decoder: newDecoder(formats), counts: true}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
			p = nil
		}
	}()
	pages := ringPages(len(cpus))
	for _, cpu := range cpus {
		if err := p.openCPU(cpu, pages, formats, deviceFilter(devices)); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *perf) openCPU(cpu, pages int, formats map[Kind]Format, filter string) error {
	out := -1
	for _, w := range tracepoints() {
		f, ok := formats[w.kind]
		if !ok {
			continue
		}
		fd, err := p.openEvent(cpu, f, false, out)
		if errors.Is(err, unix.ENODEV) {
			return nil // the processor went off line
		}
		if err != nil {
			return err
		}
		if out < 0 {
			out = fd
			r, err := mapRing(fd, pages)
			if err != nil {
				return err
			}
			p.rings, p.poll = append(p.rings, r), append(p.poll, fd)
		}
		if err := setFilter(fd, filterOf(w.kind, filter)); err != nil {
			return fmt.Errorf("filter %s: %w", f.Name, err)
		}
		if w.kind != Drop && w.kind != Consume {
			continue
		}
		p.plain = append(p.plain, fd)
		if fd, err = p.openEvent(cpu, f, true, out); err != nil {
			return err
		}
		p.chained = append(p.chained, fd)
	}
	return nil
}

// filterOf keeps other traffic out of the rings. Frees have no device and
// cannot be filtered.
func filterOf(k Kind, devices string) string {
	switch k {
	case Queue, Start, Xmit, Receive:
		return devices
	case Dequeue:
		return "skbaddr != 0"
	default:
		return ""
	}
}

// deviceFilter lets only devices of these names pass; "" lets all pass.
func deviceFilter(devices []string) string {
	var terms []string
	for _, d := range devices {
		if strings.ContainsAny(d, `"'\`) {
			return ""
		}
		terms = append(terms, fmt.Sprintf("name == %q", d))
	}
	text := strings.Join(terms, " || ")
	if len(text) > maxFilter {
		return ""
	}
	return text
}

func (p *perf) openEvent(cpu int, f Format, chain bool, out int) (int, error) {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_TRACEPOINT, Config: uint64(f.ID), Sample: 1, Sample_type: sampleType,
		Bits:    unix.PerfBitDisabled | unix.PerfBitExcludeCallchainUser | unix.PerfBitUseClockID | unix.PerfBitWatermark,
		Clockid: unix.CLOCK_MONOTONIC,
		Wakeup:  64 << 10,
	}
	if chain {
		attr.Sample_max_stack = maxChain
	} else {
		attr.Bits |= unix.PerfBitExcludeCallchainKernel
	}
	if p.counts {
		attr.Read_format = unix.PERF_FORMAT_LOST
	}
	fd, err := openEvent(&attr, cpu, f.Name)
	if errors.Is(err, unix.EINVAL) && p.counts && len(p.fds) == 0 {
		// This kernel does not know the format.
		p.counts, attr.Read_format = false, 0
		fd, err = openEvent(&attr, cpu, f.Name)
	}
	if err != nil {
		return -1, err
	}
	p.fds = append(p.fds, fd)
	if out >= 0 {
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, out); err != nil {
			return -1, fmt.Errorf("send the events of %s to the ring of processor %d: %w", f.Name, cpu, err)
		}
	}
	return fd, nil
}

// openEvent opens an event of one processor, whatever runs there.
func openEvent(attr *unix.PerfEventAttr, cpu int, name string) (int, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, explainPerf(name, err)
	}
	return fd, nil
}

func explainPerf(name string, err error) error {
	said := fmt.Errorf("follow %s by perf_event_open: %w", name, err)
	missing := &record.UnsupportedError{Feature: "a perf event", Err: said}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		missing.Hint = "run it with sudo"
		if b, readErr := os.ReadFile("/proc/sys/kernel/perf_event_paranoid"); readErr == nil {
			missing.Hint += "; sysctl kernel.perf_event_paranoid is " + strings.TrimSpace(string(b))
		}
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT):
		missing.Hint = "use a kernel with CONFIG_PERF_EVENTS and CONFIG_EVENT_TRACING"
	default:
		return said
	}
	return missing
}

func setFilter(fd int, filter string) error {
	if filter == "" {
		return nil
	}
	text, err := unix.BytePtrFromString(filter)
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.PERF_EVENT_IOC_SET_FILTER, uintptr(unsafe.Pointer(text)))
	if errno != 0 {
		return errno
	}
	return nil
}

// enable lets everything but the chained frees flow.
func (p *perf) enable() error {
	skip := map[int]bool{}
	for _, fd := range p.chained {
		skip[fd] = true
	}
	for _, fd := range p.fds {
		if skip[fd] {
			continue
		}
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return fmt.Errorf("enable a perf event: %w", err)
		}
	}
	return nil
}

// chain turns call chains of frees on. For a moment each free comes twice.
func (p *perf) chain() error {
	for _, fd := range p.chained {
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return fmt.Errorf("enable call chains: %w", err)
		}
	}
	for _, fd := range p.plain {
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_DISABLE, 0); err != nil {
			return fmt.Errorf("enable call chains: %w", err)
		}
	}
	return nil
}

// drain takes all samples that are there into each ring's pending.
func (p *perf) drain() error {
	for _, r := range p.rings {
		err := r.drain(func(kind uint32, body []byte) {
			switch kind {
			case unix.PERF_RECORD_SAMPLE:
				r.pending = append(r.pending, Event{})
				if !p.decoder.parseSample(body, &r.pending[len(r.pending)-1]) {
					r.pending = r.pending[:len(r.pending)-1]
					return
				}
				p.samples++
			case unix.PERF_RECORD_LOST:
				// struct { u64 id; u64 lost; }
				if len(body) >= 16 {
					p.lost += binary.NativeEndian.Uint64(body[8:])
				}
			case unix.PERF_RECORD_LOST_SAMPLES:
				if len(body) >= 8 {
					p.lost += binary.NativeEndian.Uint64(body)
				}
			case unix.PERF_RECORD_THROTTLE:
				p.lost++
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends all events and unmaps their rings.
func (p *perf) Close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, r := range p.rings {
		errs = append(errs, r.Close())
	}
	for _, fd := range p.fds {
		errs = append(errs, unix.Close(fd))
	}
	p.rings, p.fds, p.poll, p.plain, p.chained = nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

// ringPages shares the budget out; a power of two.
func ringPages(cpus int) int {
	size := min(max(ringBudget/max(cpus, 1), leastRing), mostRing)
	pages := 1
	for pages*2*os.Getpagesize() <= size {
		pages *= 2
	}
	return pages
}

const onlinePath = "/sys/devices/system/cpu/online"

func onlineCPUs() ([]int, error) {
	text, err := os.ReadFile(onlinePath)
	if err != nil {
		return nil, fmt.Errorf("list the processors: %w", err)
	}
	return parseCPUs(strings.TrimSpace(string(text)))
}

// maxCPUs is above any CONFIG_NR_CPUS.
const maxCPUs = 1 << 14

// parseCPUs reads a list as in "0-3,5".
func parseCPUs(text string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, toErr := strconv.Atoi(last)
		if err != nil || toErr != nil || from < 0 || to < from || to >= maxCPUs {
			return nil, fmt.Errorf("list the processors: %s is %q", onlinePath, text)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
