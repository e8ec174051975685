package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"skleak/campaign"
	"skleak/harness"
	"skleak/kernels"
	"skleak/kernels/modbuild"
	"skleak/record"
	"skleak/scenarios"
	"skleak/vm"
)

// mutantsRunFlags are the flags of `skleak mutants run`.
type mutantsRunFlags struct {
	kernel   string
	whole    bool
	json     bool
	parallel int
	save     string
	vm       vmFlags
}

func mutantsRunCommand(t terminal, status *statusCode) *cobra.Command {
	var f mutantsRunFlags
	cmd := &cobra.Command{
		Use:   "run [NAME…|DIR] --kernel KERNEL",
		Short: "Run the catalogue on each mutant and print the truth table",
		Long: `Run the catalogue on the stock kernel and on each mutant's, a VM each, and
compare. Every scenario that mutant.yaml says must find the bug has to, with the
verdict and the holder it says; a scenario that does not use the module must
show what it shows on the stock kernel. Where a mutant says nothing, whatever
deviates from the stock kernel is shown.

On a mutant's kernel run the scenarios that mutant.yaml names, the controls, and
a handful that do not use its module; --whole runs the whole catalogue on each.

The exit status is 1 on any miss, any wrong or false finding, 2 on trouble.`,
		Example: `  skleak mutants run --kernel debian:6.1
  skleak mutants run tun-no-orphan veth-no-free --kernel debian:6.12 --json
  skleak mutants run ./my-mutants --kernel debian:6.1 --whole`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), t, args, status) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kernel, "kernel", "", "the kernel, like debian:6.1")
	fs.BoolVar(&f.whole, "whole", false, "run the whole catalogue on every mutant")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.IntVar(&f.parallel, "parallel", 0, "VMs at once (default by processors and memory)")
	fs.StringVar(&f.save, "save", "", "keep the traces in this folder, a folder for each kernel in it")
	f.vm.register(fs)
	return cmd
}

// truthReport is what `skleak mutants run` prints.
type truthReport struct {
	Kernel string           `json:"kernel"`
	Score  campaign.Score   `json:"score"`
	Table  []campaign.Truth `json:"table"`
}

func (f *mutantsRunFlags) run(ctx context.Context, t terminal, args []string, status *statusCode) error {
	if err := f.vm.check(); err != nil {
		return err
	}
	// What no socket accounts for any more, only the ledger counts exactly.
	f.vm.ledger.mode = harness.LedgerOn
	list, err := chooseMutants(args)
	if err != nil {
		return err
	}
	stock, err := fetchKernel(ctx, t, f.kernel)
	if err != nil {
		return err
	}
	mutated, err := mutantKernels(ctx, t, stock, list)
	if err != nil {
		return err
	}
	all, controls, err := choose(nil)
	if err != nil {
		return err
	}
	r := mutantsRun{flags: f, terminal: t, controls: controls, all: all, list: list}
	runs, err := r.run(ctx, slices.Concat([]*kernels.Kernel{stock}, mutated))
	if err != nil {
		return err
	}
	rep := truthReport{Kernel: string(stock.Name), Table: campaign.StockTruth(runs[0])}
	for i, m := range list {
		rep.Table = append(rep.Table, trialOf(m, runs[0], runs[i+1]).Judge()...)
	}
	rep.Score = campaign.ScoreOf(rep.Table)
	switch {
	case rep.Score.Outcomes[campaign.Miss]+rep.Score.Outcomes[campaign.Wrong]+rep.Score.Outcomes[campaign.False] > 0:
		*status = 1
	case !rep.Score.Perfect():
		*status = 2
	}
	if f.json {
		return printJSON(t.out, rep)
	}
	return rep.print(t.out)
}

func trialOf(m modbuild.Mutant, stock, run record.Run) campaign.Trial {
	trial := campaign.Trial{Mutant: m.Name, Module: m.Module, Stock: stock, Run: run}
	for _, e := range m.Found {
		trial.Expected = append(trial.Expected, campaign.Expected{
			Scenario: e.Scenario, Verdict: e.Verdict, Holder: e.Holder, Packets: e.Count,
		})
	}
	return trial
}

// mutantsRun runs the catalogue on the stock kernel, the first, and on each
// mutant's.
type mutantsRun struct {
	flags    *mutantsRunFlags
	terminal terminal
	controls []scenarios.Scenario
	all      []scenarios.Scenario
	list     []modbuild.Mutant
}

func (r *mutantsRun) run(ctx context.Context, on []*kernels.Kernel) ([]record.Run, error) {
	first, err := r.flags.vm.machine(on[0])
	if err != nil {
		return nil, err
	}
	if err := accelerate(ctx, &first); err != nil {
		return nil, err
	}
	parallel := r.flags.parallel
	if parallel == 0 {
		if parallel, err = guestsAtOnce(r.flags.vm.memory); err != nil {
			return nil, err
		}
	}
	runs := make([]record.Run, len(on))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(parallel, 1))
	for i, k := range on {
		group.Go(func() error {
			v := first
			v.Kernel = k
			scs := r.all
			if i > 0 {
				scs = r.scenarios(r.list[i-1])
			}
			run, err := r.one(ctx, v, scs)
			runs[i] = run
			return err
		})
	}
	return runs, group.Wait()
}

func (r *mutantsRun) one(ctx context.Context, v vm.VM, list []scenarios.Scenario) (record.Run, error) {
	o := campaign.Options{AllowLasting: true}
	if r.flags.save != "" {
		o.Save = campaign.Saved{Dir: r.flags.save + "/" + fileName(string(v.Kernel.Name))}.Save
	}
	v.Replay = "skleak mutants run --kernel " + r.flags.kernel + " " + mutantNames(r.list)
	run, err := campaign.Run(ctx, v, list, r.controls, o)
	if err != nil {
		return run, fmt.Errorf("kernel %s: %w", v.Kernel.Name, err)
	}
	fmt.Fprintf(r.terminal.err, "%s: %d scenarios in %.0f s\n", v.Kernel.Name, len(run.Results), run.Seconds)
	return run, nil
}

// bystanders are scenarios that run on every mutant whose module they do not
// use: one of each way a packet goes.
func bystanders() []string {
	return []string{
		"dummy/up", "veth/other-netns", "tun/unread", "bridge/two-ports", "vlan/up", "vxlan/resolved",
		"neigh/resolved", "socket/udp-rip",
	}
}

// scenarios are those a mutant's kernel runs.
func (r *mutantsRun) scenarios(m modbuild.Mutant) []scenarios.Scenario {
	if r.flags.whole || len(m.Found) == 0 {
		return r.all
	}
	var list []scenarios.Scenario
	for _, sc := range r.all {
		must := slices.ContainsFunc(m.Found, func(e modbuild.Found) bool { return e.Scenario == sc.Name })
		if must || slices.Contains(bystanders(), sc.Name) && !campaign.UsesModule(sc, m.Module) {
			list = append(list, sc)
		}
	}
	return list
}

func (rep truthReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\tscenario\toutcome\twanted\tshown\tholder\theld\tladder")
	for _, line := range rep.Table {
		wanted := "as stock: " + string(line.Stock)
		if line.Expected != nil {
			wanted = strings.TrimSuffix(string(line.Expected.Verdict)+", "+line.Expected.Holder, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n",
			line.Mutant, line.Scenario, line.Outcome, wanted, line.Verdict, line.Holder, line.Held, ladderText(line.Ladder))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the truth table: %w", err)
	}
	s := rep.Score
	_, err := fmt.Fprintf(out, "\n%s: %d of %d mutants found; recall %.3f, precision %.3f\n",
		rep.Kernel, s.Found, s.Mutants, s.Recall, s.Precision)
	return err
}

// ladderText is a ladder on one line: what was charged, and after each rung.
func ladderText(steps []record.LadderStep) string {
	var words []string
	for i, s := range steps {
		if i == 0 {
			words = append(words, fmt.Sprint(s.Before))
		}
		words = append(words, fmt.Sprintf("%s %d", s.Rung, s.After))
	}
	return strings.Join(words, ", ")
}
