// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"skleak/record"
)

// writePcapng writes the packets that the traces kept: the first ones of each
// socket, those on both sides of poll's threshold, the last. Each has the charge
// after it as a comment. Times are those since the sandbox of its scenario began.
func writePcapng(w io.Writer, rep record.Report, o Options) error {
	c := &capture{redact: o.Evidence.Redact}
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			if t := o.Evidence.trace(run.Kernel, r.Scenario); t != nil && len(c.packets) < maxCaptured {
				c.add(*t, r.Scenario+" on "+run.Kernel.Name())
			}
		}
	}
	if err := c.write(w, summary(rep)); err != nil {
		return fmt.Errorf("write the packets: %w", err)
	}
	return nil
}

// maxCaptured bounds the packets of one file.
const maxCaptured = 50000

// capture gathers packets and the links they went through.
type capture struct {
	redact  *Redactor
	links   []pcapgo.NgInterface
	packets []captured
}

type captured struct {
	info    gopacket.CaptureInfo
	data    []byte
	comment string
}

// add takes the packets of a trace, in the order they were sent.
func (c *capture) add(t record.Trace, where string) {
	from := len(c.packets)
	for _, s := range t.Sockets {
		links := map[string]int{}
		forms := map[string]record.SentForm{}
		for _, f := range s.Forms {
			if f.Length < len(f.Data) || len(f.Data) == 0 {
				continue
			}
			f.Data = c.redact.Packet(f.Data, f.Ethernet)
			forms[f.Link], links[f.Link] = f, len(c.links)
			c.links = append(c.links, c.link(s, f, where))
		}
		for _, p := range s.Packets {
			f, there := forms[p.Link]
			if !there || len(c.packets) >= maxCaptured {
				continue
			}
			c.packets = append(c.packets, captured{
				info: gopacket.CaptureInfo{
					Timestamp: time.Unix(0, max(p.AtNs, 0)), CaptureLength: len(f.Data), Length: f.Length, InterfaceIndex: links[p.Link],
				},
				data: f.Data, comment: packetComment(s, p),
			})
		}
	}
	slices.SortStableFunc(c.packets[from:], func(a, b captured) int { return a.info.Timestamp.Compare(b.info.Timestamp) })
}

func (c *capture) link(s record.SocketTrace, f record.SentForm, where string) pcapgo.NgInterface {
	kind := layers.LinkTypeRaw
	if f.Ethernet {
		kind = layers.LinkTypeEthernet
	}
	return pcapgo.NgInterface{
		Name: c.text(f.Link), LinkType: kind, TimestampResolution: 9,
		Description: c.text(where),
		Comment:     c.text(fmt.Sprintf("socket %s, sk_sndbuf %d: not writable from %d bytes on", s.Name, s.SndBuf, s.SndBuf/2)),
	}
}

// packetComment is what was charged after a packet.
func packetComment(s record.SocketTrace, p record.SentPacket) string {
	text := fmt.Sprintf("packet %d of the socket; %d bytes charged after it (sk_wmem_alloc)", p.Number, p.Bytes)
	if p.Number == s.PacketsToStall {
		text += "; poll no longer says POLLOUT"
	}
	return text
}

// maxComment is less than the 65535 bytes of a pcapng option.
const maxComment = 4000

// text makes a text harmless, redacted, and short enough for an option.
func (c *capture) text(s string) string {
	s = harmless(c.redact.Text(s), false)
	if len(s) > maxComment {
		s = harmless(s[:maxComment], false)
	}
	return s
}

// write writes one section. A file needs a link, so without packets it names none.
func (c *capture) write(w io.Writer, about string) error {
	if len(c.links) == 0 {
		about += " No packets: a folder that skleak run --save made has them."
		c.links = []pcapgo.NgInterface{{Name: "none", LinkType: layers.LinkTypeRaw, TimestampResolution: 9}}
	}
	ng, err := pcapgo.NewNgWriterInterface(w, c.links[0], pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "skleak", OS: "Linux", Comment: c.text(cmp.Or(about, "skleak"))},
	})
	if err != nil {
		return err
	}
	for _, l := range c.links[1:] {
		if _, err := ng.AddInterface(l); err != nil {
			return err
		}
	}
	for _, p := range c.packets {
		if err := ng.WritePacketWithOptions(p.info, p.data, pcapgo.NgPacketOptions{Comments: []string{p.comment}}); err != nil {
			return err
		}
	}
	return ng.Flush()
}
