package verdict

import "skleak/record"

// fall is how a charge went by itself.
type fall struct {
	// gone is the bytes that went.
	gone float64
	// step: it went nearly at once, after a time.
	step bool
	// seconds from the last send to the release, where it is a step.
	seconds float64
	// rate of the drain in bytes a second, where it is not.
	rate float64
	// stopped: what went, went in the first half of the wait.
	stopped bool
}

// fallOf reads the fall from patience. Without points a whole release counts
// as one step: the rate so reckoned is the lower, the safer of the two.
func fallOf(t record.Trace) fall {
	p := t.Patience
	f := fall{gone: float64(p.Before) - float64(p.After)}
	if f.gone <= 0 {
		return f
	}
	if len(p.Points) == 0 {
		return fallWithoutPoints(p, f)
	}
	tenth := passed(p, 0.1*f.gone)
	ninety := passed(p, 0.9*f.gone)
	took := seconds(ninety - tenth)
	after := seconds(ninety - t.LastSendNs)
	if p.ReleasedNs >= 0 {
		after = seconds(p.ReleasedNs)
	}
	f.step = took < stepShare*after
	f.seconds = after
	if took > 0 {
		f.rate = 0.8 * f.gone / took
	}
	begin := p.Points[0].AtNs
	f.stopped = ninety-begin < p.ForNs/2 && passed(p, f.gone)-begin < p.ForNs/2
	return f
}

func fallWithoutPoints(p *record.Patience, f fall) fall {
	if p.ReleasedNs >= 0 {
		f.step, f.seconds = true, seconds(p.ReleasedNs)
		return f
	}
	if p.ForNs > 0 {
		f.rate = f.gone / seconds(p.ForNs)
	}
	return f
}

// passed is when the charge had fallen by so many bytes for good.
func passed(p *record.Patience, bytes float64) int64 {
	level := float64(p.Before) - bytes
	at := p.Points[0].AtNs
	for i := len(p.Points) - 1; i >= 0; i-- {
		if float64(p.Points[i].Bytes) > level {
			break
		}
		at = p.Points[i].AtNs
	}
	return at
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
