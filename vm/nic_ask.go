// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"skleak/record"
)

// askTime bounds QEMU's answer.
const askTime = 10 * time.Second

// errNoCards says that a guest without cards asked for something.
var errNoCards = errors.New("this guest has no network cards")

// answer does what a guest asked for: "unplug MAC". Nothing else can be had,
// and only of the cards it was given.
func (c *cards) answer(ask string) error {
	word, mac, _ := strings.Cut(ask, " ")
	if word != record.AskUnplug {
		return fmt.Errorf("the guest asks for %q, which nobody does", ask)
	}
	if c == nil {
		return errNoCards
	}
	for _, one := range c.list {
		if one.mac == mac {
			return c.setLink(one, false)
		}
	}
	return fmt.Errorf("the guest asks for network card %s, which it does not have", mac)
}

// command is one of QEMU's monitor protocol (docs/interop/qmp-spec).
type command struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
}

// setLink plugs or pulls a card's cable.
func (c *cards) setLink(one card, up bool) error {
	if err := c.monitor.SetDeadline(time.Now().Add(askTime)); err != nil {
		return fmt.Errorf("bound QEMU's answer: %w", err)
	}
	if c.lines == nil {
		c.lines = bufio.NewScanner(c.monitor)
		if err := c.execute(command{Execute: "qmp_capabilities"}); err != nil {
			return err
		}
	}
	link := map[string]any{"name": one.id(), "up": up}
	return c.execute(command{Execute: "set_link", Arguments: link})
}

// monitorLines bounds the events that may come before an answer.
const monitorLines = 1000

func (c *cards) execute(cmd command) error {
	line, err := json.Marshal(cmd)
	if err == nil {
		_, err = c.monitor.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("tell QEMU to %s: %w", cmd.Execute, err)
	}
	for range monitorLines {
		if !c.lines.Scan() {
			err := c.lines.Err()
			if err == nil {
				err = errors.New("its monitor was closed")
			}
			return fmt.Errorf("read from QEMU whether it did %s: %w", cmd.Execute, err)
		}
		var reply struct {
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Text string `json:"desc"`
			} `json:"error"`
		}
		if err := json.Unmarshal(c.lines.Bytes(), &reply); err != nil {
			return fmt.Errorf("read from QEMU whether it did %s: %w", cmd.Execute, err)
		}
		switch {
		case reply.Error != nil:
			return fmt.Errorf("QEMU refuses %s: %s", cmd.Execute, reply.Error.Text)
		case reply.Return != nil:
			return nil
		}
	}
	return fmt.Errorf("QEMU said %d things and none was the answer to %s", monitorLines, cmd.Execute)
}
