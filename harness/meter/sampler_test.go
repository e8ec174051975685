// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watched are sockets of which nobody counts what they send.
func watched(fds ...int) []Socket {
	var out []Socket
	for _, fd := range fds {
		out = append(out, Socket{FD: fd, Sent: func() int { return 0 }, Course: NewCourse(time.Second, 832, 212992)})
	}
	return out
}

func TestSampler(t *testing.T) {
	held(t, func(s *sender, lo *heldLoopback) error {
		sampler := NewSampler(watched(s.fd), time.Now())
		sampler.Start()
		if _, err := s.fill(); err != nil {
			return err
		}
		full, err := s.charge()
		if err != nil {
			return err
		}
		if !until(func() bool { return sampler.Samples()[0].Peak == int64(full) }) {
			t.Errorf("peak = %d of %d", sampler.Samples()[0].Peak, full)
		}
		if err := lo.release(); err != nil {
			return err
		}
		if !until(func() bool { p := sampler.Samples()[0].Series; return p[len(p)-1].Bytes == 0 }) {
			t.Error("the release was not seen")
		}
		if err := sampler.Stop(); err != nil {
			return err
		}
		got := sampler.Samples()[0]
		if got.Peak != int64(full) || got.Saturated || got.Readings == 0 {
			t.Errorf("samples = %+v", got)
		}
		return nil
	})
}

func TestSamplerObserves(t *testing.T) {
	sampler := NewSampler(watched(-1, -1), time.Now())
	sampler.Saw(1, 832)
	sampler.Saw(1, 0xBFFFFFFF)
	sampler.Saw(1, 0)
	got := sampler.Samples()
	if s := got[0]; s.Readings != 0 || s.Saturated || s.Series != nil {
		t.Errorf("the other socket has %+v", s)
	}
	if s := got[1]; s.Peak != 832 || !s.Saturated || s.Readings != 3 || len(s.Series) != 2 {
		t.Errorf("samples = %+v", s)
	}
}

func TestSamplerSaysWhatFailed(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	sampler := NewSampler(watched(p[0]), time.Now())
	sampler.Start()
	<-sampler.done
	if err := sampler.Stop(); err == nil {
		t.Error("sampling a pipe is no error")
	}
	for _, fd := range p {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	}
}
