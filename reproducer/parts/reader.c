
/*
 * Reads packets and throws them away: "none" reads none, "drain" all, "slow" so
 * many a second, "stop" so many in all. SIGUSR1 makes each of them drain.
 */
static volatile sig_atomic_t drain_now;

static void on_usr1(int signal)
{
	(void)signal;
	drain_now = 1;
}

static void reader_ready(void)
{
	struct sigaction act = { .sa_handler = on_usr1 };

	sigaction(SIGUSR1, &act, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say("ready");
}

static int reader(const int *fds, int count, const char *mode, double pps, int after)
{
	static uint8_t buffer[65536 + 64];
	int64_t next = now();
	int i;

	for (;;) {
		int got = 0;
		int allowed = drain_now || !strcmp(mode, "drain") || (!strcmp(mode, "stop") && after > 0) ||
			      (!strcmp(mode, "slow") && now() >= next);

		for (i = 0; allowed && i < count; i++) {
			if (read(fds[i], buffer, sizeof(buffer)) < 0) {
				if (errno == EFAULT || errno == EBADFD)
					return 0;
				continue;
			}
			got++;
			after--;
			if (!drain_now && !strcmp(mode, "slow")) {
				next += (int64_t)(1e9 / pps);
				break;
			}
			if (!drain_now && !strcmp(mode, "stop") && after <= 0)
				break;
		}
		if (!got)
			rest(200000);
	}
}
