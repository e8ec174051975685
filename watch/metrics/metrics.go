// SPDX-License-Identifier: GPL-2.0-only

// Package metrics gives the last look of package watch to Prometheus.
//
//	skleak watch --all --listen :9814
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"skleak/watch"
)

// Bounds of the server.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 20 * time.Second
	closeTimeout = 2 * time.Second
)

// Server answers with the last look.
type Server struct {
	last atomic.Pointer[watch.Look]
	http *http.Server
	addr net.Addr
	done chan error
}

// Listen serves /metrics on an address; one without a host is loopback's.
func Listen(ctx context.Context, address string) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; give HOST:PORT, or :PORT for loopback", address, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w; give another address", err)
	}
	s := &Server{addr: l.Addr(), done: make(chan error, 1)}
	registry := prometheus.NewRegistry()
	if err := registry.Register(collector{&s.last}); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics: %w", err), l.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	s.http = &http.Server{Handler: mux, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, MaxHeaderBytes: 16 << 10}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// URL is where the metrics are.
func (s *Server) URL() string { return "http://" + s.addr.String() + "/metrics" }

// Show is what is served from now on.
func (s *Server) Show(l watch.Look) { s.last.Store(&l) }

// Close stops serving.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

type collector struct{ last *atomic.Pointer[watch.Look] }

// Describe implements prometheus.Collector: it is unchecked, since which sockets
// there are is not known before.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	look := c.last.Load()
	if look == nil {
		return
	}
	gauge(out, "skleak_look_timestamp_seconds", "When the sockets were looked at.", float64(look.Time.UnixNano())/1e9, nil, nil)
	gauge(out, "skleak_sockets", "How many sockets are watched.", float64(len(look.Sockets)), nil, nil)
	for _, s := range look.Sockets {
		socketMetrics(out, s)
	}
	names := []string{"pid", "comm"}
	for _, p := range look.Processes {
		if p.RSS > 0 {
			gauge(out, "skleak_process_resident_bytes", "Resident memory of a process that owns watched sockets.",
				float64(p.RSS), names, []string{strconv.Itoa(p.PID), p.Comm})
		}
	}
}

func socketMetrics(out chan<- prometheus.Metric, s watch.Socket) {
	names := []string{"pid", "comm", "fd", "netns", "kind", "protocol", "inode"}
	number := s.Protocol
	if s.Port != 0 {
		number = s.Port
	}
	labels := []string{
		strconv.Itoa(s.PID), s.Comm, strconv.Itoa(s.FD), strconv.FormatUint(s.Netns, 10), s.Kind,
		strconv.Itoa(number), strconv.FormatUint(s.Inode, 10),
	}
	put := func(name, help string, value *float64) {
		if value != nil {
			gauge(out, name, help, *value, names, labels)
		}
	}
	put("skleak_socket_charged_bytes", "sk_wmem_alloc: what was sent and is not freed.", float(s.Charge))
	put("skleak_socket_send_buffer_bytes", "sk_sndbuf; a socket is silent at half of it.", float(s.SndBuf))
	put("skleak_socket_silence_ratio", "The part of the way to silence; 1 is silent.", s.Share)
	put("skleak_socket_seconds_to_silence", "Until silence at the growth seen.", s.LeftSeconds)
	if s.Growth != nil {
		put("skleak_socket_growth_bytes_per_second", "How fast the charge grows.", &s.Growth.BytesPerSecond)
	}
	if s.Writable != nil {
		blocked := 0.0
		if !*s.Writable {
			blocked = 1
		}
		put("skleak_socket_blocked", "1 if the socket is not writable.", &blocked)
	}
	exact := 0.0
	if s.Exact {
		exact = 1
	}
	put("skleak_socket_exact", "1 if the figures are the socket's own, 0 if those of a file under /proc/net.", &exact)
}

func float(n *int64) *float64 {
	if n == nil {
		return nil
	}
	v := float64(*n)
	return &v
}

func gauge(out chan<- prometheus.Metric, name, help string, value float64, names, labels []string) {
	m, err := prometheus.NewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, value, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
	out <- m
}
