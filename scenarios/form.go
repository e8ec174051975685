// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// The keys of each mapping in a file, in the order Encode writes them.

func (s *Scenario) fields() []field {
	return []field{
		{"name", text(&s.Name)},
		{"about", text(&s.About)},
		{"namespaces", objects(&s.Namespaces)},
		{"links", linkList{&s.Links}},
		{"routes", objects(&s.Routes)},
		{"filters", objects(&s.Filters)},
		{"traffic", object(&s.Traffic)},
		{"expect", words(&s.Expect)},
		{"known", knownValue{&s.Known}},
		{"lasting", truth(&s.Lasting)},
		{"ipv6", truth(&s.IPv6)},
		{"patience", optionalSpan(&s.Patience)},
		{"control", text(&s.Control)},
		{"shows", optionalObject(&s.Shows)},
	}
}

func (s *Shows) fields() []field {
	return []field{
		{"holder", text(&s.Holder)},
		{"released_by", text(&s.ReleasedBy)},
		{"passes", whole(&s.Passes)},
	}
}

func (n *Namespace) fields() []field {
	return []field{{"name", text(&n.Name)}, {"forward", truth(&n.Forward)}}
}

func (c *Common) fields() []field {
	return []field{
		{"name", text(&c.Name)},
		{"netns", text(&c.Netns)},
		{"address", words(&c.Addresses)},
		{"mac", text(&c.MAC)},
		{"mtu", wholeFrom(&c.MTU, minMTU)},
		{"txqueuelen", optionalWhole(&c.TxQueueLen)},
		{"down", truth(&c.Down)},
		{"master", text(&c.Master)},
		{"qdisc", qdiscValue{&c.Qdisc}},
		{"packet_socket", text(&c.PacketSocket)},
		{"neighbours", objects(&c.Neighbours)},
	}
}

func (n *Neighbour) fields() []field {
	return []field{{"address", text(&n.Address)}, {"lladdr", text(&n.LLAddr)}}
}

func (r *Route) fields() []field {
	return []field{
		{"netns", text(&r.Netns)},
		{"to", text(&r.To)},
		{"via", text(&r.Via)},
		{"link", text(&r.Link)},
	}
}

func (f *Filter) fields() []field {
	return []field{
		{"netns", text(&f.Netns)},
		{"hook", text(&f.Hook)},
		{"link", text(&f.Link)},
		{"action", text(&f.Action)},
		{"queue", whole(&f.Queue)},
		{"listener", optionalObject(&f.Listener)},
	}
}

func (l *Listener) fields() []field {
	return []field{
		{"verdict", text(&l.Verdict)},
		{"keep", numbers(&l.Keep)},
		{"maxlen", whole(&l.MaxLen)},
	}
}

func (r *Reader) fields() []field {
	return []field{
		{"mode", text(&r.Mode)},
		{"pps", number(&r.PPS)},
		{"after", whole(&r.After)},
	}
}

func (t *Traffic) fields() []field {
	rate := scalar[float64]{&t.Rate, ParseRate, func(f float64) any { return FormatRate(f) }, "packets per second like 250, 1/10s or max"}
	return []field{
		{"socket", text(&t.Socket)},
		{"packet", text(&t.Packet)},
		{"size", optionalSize(&t.Size)},
		{"payload", payloadValue{&t.Payload}},
		{"to", text(&t.To)},
		{"via", words(&t.Via)},
		{"per_link", truth(&t.PerLink)},
		{"interface", text(&t.Interface)},
		{"style", text(&t.Style)},
		{"sndbuf", size(&t.SndBuf)},
		{"rate", rate},
		{"burst", whole(&t.Burst)},
		{"count", wholeFrom(&t.Count, 1)},
		{"duration", longSpan(&t.Duration)},
	}
}
