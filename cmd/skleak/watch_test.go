// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skleak/watch"
)

// daemon is a process in a namespace with a raw socket, through which the test
// sends as if it were that process.
type daemon struct {
	pid  int
	raw  int
	stop func()
}

// hellos starts one that sends out of the link, at the least send buffer that
// holds a hundred packets or so.
func hellos(t *testing.T, path, link string) daemon {
	t.Helper()
	fd := -1
	cmd := exec.Command("sleep", "120")
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends in that namespace
		done <- func() error {
			ns, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(ns) }()
			if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
				return err
			}
			if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 89); err != nil {
				return err
			}
			if err := unix.BindToDevice(fd, link); err != nil {
				return err
			}
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 40000); err != nil {
				return err
			}
			dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return err
			}
			file := os.NewFile(uintptr(dup), "raw socket")
			defer func() { _ = file.Close() }()
			cmd.ExtraFiles = []*os.File{file}
			return cmd.Start()
		}()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ended := false
	d := daemon{pid: cmd.Process.Pid, raw: fd, stop: func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			_ = unix.Close(fd)
		}
	}}
	t.Cleanup(d.stop)
	return d
}

// send sends one packet to all OSPF routers.
func (d daemon) send(t *testing.T) {
	t.Helper()
	if err := unix.Sendto(d.raw, make([]byte, 64), 0, &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 5}}); err != nil {
		t.Fatal(err)
	}
}

func (d daemon) writable(t *testing.T) bool {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(d.raw), Events: unix.POLLOUT}}
	if _, err := unix.Poll(fds, 0); err != nil {
		t.Fatal(err)
	}
	return fds[0].Revents&unix.POLLOUT != 0
}

// fill sends until the socket is not writable.
func (d daemon) fill(t *testing.T) {
	t.Helper()
	for range 2000 {
		if !d.writable(t) {
			return
		}
		d.send(t)
	}
	t.Fatal("the link holds nothing")
}

// looks reads what watch prints with --json.
func looks(t *testing.T, text string) (all []watch.Look) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	for {
		var l watch.Look
		err := dec.Decode(&l)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		all = append(all, l)
	}
}

// The alarm comes while the socket can still be sent through, after looks that
// knew the growth and the time left.
func TestWatchTellsBeforeTheSilence(t *testing.T) {
	path, _ := router(t)
	d := hellos(t, path, "w0")
	cmd := exec.Command("skleak", "watch", "--pid", strconv.Itoa(d.pid), "--json", "--interval", "20ms", "--alarm", "80")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	// A packet a look: the sender has the pace of the watcher, however slow.
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	sent := 0
	for lines.Scan() {
		fmt.Fprintln(&text, lines.Text())
		if d.writable(t) && sent < 1000 {
			d.send(t)
			sent++
		}
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(errs.String(), "alarm: ") {
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	if !d.writable(t) {
		t.Error("the socket was silent when the alarm came")
	}
	all := looks(t, text.String())
	last := all[len(all)-1].Sockets[0]
	grew := false
	for _, l := range all {
		s := l.Sockets[0]
		grew = grew || s.Growth != nil && s.Growth.BytesPerSecond > 0 && s.LeftSeconds != nil && *s.LeftSeconds > 0
	}
	switch {
	case last.Share == nil || *last.Share < 0.8 || *last.Share >= 1 || last.Silent() || last.PID != d.pid || !last.Exact:
		t.Errorf("the last look: %+v", last)
	case !grew:
		t.Errorf("no growth in %d looks, %d packets: %+v", len(all), sent, last)
	}
}

func TestWatchOnce(t *testing.T) {
	path, _ := router(t)
	d := hellos(t, path, "w0")
	pid := strconv.Itoa(d.pid)
	if out, errs, status := skleak(t, "watch", "--pid", pid, "--once", "--json"); status != 0 || len(looks(t, out)) != 1 || errs != "" {
		t.Errorf("before: exit status %d: %s%s", status, out, errs)
	}
	d.fill(t)
	out, errs, status := skleak(t, "watch", "--pid", pid, "--once", "--json")
	if status != 1 || !strings.Contains(errs, "alarm: ") {
		t.Errorf("silent: exit status %d: %s", status, errs)
	}
	s := looks(t, out)[0].Sockets[0]
	if !s.Silent() || s.Charge == nil || s.SndBuf == nil || *s.Charge+1 < *s.SndBuf/2 || s.Protocol != 89 || !s.BlockedBefore {
		t.Errorf("silent: %+v", s)
	}
	if out, errs, status = skleak(t, "watch", "--comm", "sleep", "--once"); status != 1 || !strings.Contains(out, "sleep") {
		t.Errorf("by name: exit status %d: %s%s", status, out, errs)
	}
}

func TestWatchOfAProcessThatEnds(t *testing.T) {
	path, _ := router(t)
	d := hellos(t, path, "v0")
	cmd := exec.Command("skleak", "watch", "--pid", strconv.Itoa(d.pid), "--json", "--interval", "20ms")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		if n == 3 {
			d.stop()
		}
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != exitUsage || !strings.Contains(errs.String(), "have ended") {
		t.Errorf("exit status %d: %s", status, errs.String())
	}
}

func TestWatchOfNothing(t *testing.T) {
	idle := exec.Command("sleep", "60")
	if err := idle.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = idle.Process.Kill()
		_ = idle.Wait()
	}()
	for want, args := range map[string][]string{
		"no such process":            {"--pid", "2147483647"},
		"no raw, UDP or packet":      {"--pid", strconv.Itoa(idle.Process.Pid)},
		`no process is called "gon"`: {"--comm", "gon"},
		"choose one of":              {"--comm", "gon", "--all"},
		"for loopback":               {"--listen", "9814"},
	} {
		out, errs, status := skleak(t, append([]string{"watch", "--interval", "10ms"}, args...)...)
		if status != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: exit status %d: %s%s; want %q", args, status, out, errs, want)
		}
	}
}

// Interrupted, with metrics served until then.
func TestWatchServesMetrics(t *testing.T) {
	path, _ := router(t)
	d := hellos(t, path, "w0")
	d.fill(t)
	cmd := exec.Command("skleak", "watch", "--pid", strconv.Itoa(d.pid), "--interval", "20ms", "--listen", ":0")
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(errs)
	line, err := said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, found := strings.CutPrefix(strings.TrimSpace(line), "metrics are at ")
	if !found || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("said %q", line)
	}
	want := fmt.Sprintf("pid=\"%d\"", d.pid)
	body := ""
	for range 100 {
		if body = scrape(t, url); strings.Contains(body, want) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !strings.Contains(body, want) || !strings.Contains(body, "skleak_") {
		t.Errorf("metrics lack %s: %s", want, body)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, said)
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 130 {
		t.Errorf("exit status %d, want 130", status)
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// An ordinary user sees what /proc/net tells, and that it is not exact.
func TestWatchWithoutPrivileges(t *testing.T) {
	path, _ := router(t)
	d := hellos(t, path, "w0")
	d.fill(t)
	cmd := asNobody(t, "watch", "--comm", "sleep", "--once", "--json")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if status := cmd.ProcessState.ExitCode(); status != exitUsage || !strings.Contains(errs.String(), "root") {
		t.Errorf("exit status %d: %s%s", status, out.String(), errs.String())
	}
}
