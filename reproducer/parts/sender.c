
/* What is sent, and where: one entry for each link. */
struct target {
	const char *link;
	const char *source; /* "" for none */
	const uint8_t *data;
	size_t length;
};

@TABLE@

enum { HDRINCL, RAW, UDP, PACKET, PACKET_DGRAM };
enum { TARGETS = sizeof(targets) / sizeof(targets[0]) };
enum { WINDOW_MS = 300, STEP_MS = 5, STEPS = WINDOW_MS / STEP_MS + 1, GAP_MS = 50, BLOCK_MS = 250, PATIENCE_MS = 4000 };

/* One step of the window in which a charge must have been there to be old. */
struct step {
	int64_t looked, least;
	int sent;
};

struct sock {
	int fd, first, count, turn; /* its targets, and which is next */
	int left, sent, to_stall, given_up;
	int64_t sndbuf, truesize, peak, held;
	int silenced, underflow;
	int64_t last, looked;
	struct step steps[STEPS + 1];
	int nsteps;
	pid_t waiter;
	int woken; /* the waiter tells through this pipe that poll woke it */
	int asleep;
};

static struct sock socks[TARGETS];
static int nsocks, refused, hard_refused, reported, blocked;

static uint32_t charge(struct sock *s)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &length))
		die("SO_MEMINFO");
	return info[SK_MEMINFO_WMEM_ALLOC];
}

static int writable(struct sock *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	poll(&p, 1, 0);
	return (p.revents & POLLOUT) != 0;
}

/* How much of the charge is older than the window, never too much. */
static int64_t old_part(struct sock *s, int64_t bytes)
{
	int64_t least = bytes, since;
	int i;

	if (!bytes || s->looked - s->steps[0].looked < (int64_t)WINDOW_MS * 1000000)
		return 0;
	for (i = 0; i < s->nsteps; i++)
		if (s->steps[i].least < least)
			least = s->steps[i].least;
	if (s->sent == s->steps[0].sent)
		return least;
	if (!s->truesize)
		return 0;
	since = bytes - s->truesize * (s->sent - s->steps[0].sent);
	if (since < least)
		least = since;
	return least > 0 ? least : 0;
}

/* Look reads the charge and follows it through the window. */
static int64_t look(struct sock *s)
{
	uint32_t raw = charge(s);
	int64_t bytes = raw, at = now(), old, gap;

	if (raw >= 0x80000000u) {
		s->underflow = 1;
		return 0;
	}
	if (bytes > s->peak)
		s->peak = bytes;
	gap = s->last ? at - s->last : 0;
	s->looked += gap < (int64_t)GAP_MS * 1000000 ? gap : (int64_t)GAP_MS * 1000000;
	s->last = at;
	if (s->nsteps && s->looked - s->steps[s->nsteps - 1].looked < (int64_t)STEP_MS * 1000000) {
		if (bytes < s->steps[s->nsteps - 1].least)
			s->steps[s->nsteps - 1].least = bytes;
	} else {
		if (s->nsteps > STEPS) {
			memmove(s->steps, s->steps + 1, sizeof(s->steps[0]) * STEPS);
			s->nsteps = STEPS;
		}
		s->steps[s->nsteps++] = (struct step){ s->looked, bytes, s->sent };
		while (s->nsteps > 1 && s->looked - s->steps[1].looked >= (int64_t)WINDOW_MS * 1000000) {
			memmove(s->steps, s->steps + 1, sizeof(s->steps[0]) * (s->nsteps - 1));
			s->nsteps--;
		}
	}
	old = old_part(s, bytes);
	if (old > s->held)
		s->held = old;
	if (bytes + 1 >= s->sndbuf / 2 && old > 0 && 2 * old >= bytes)
		s->silenced = 1;
	return bytes;
}

static int64_t look_all(int *all_writable)
{
	int64_t sum = 0;
	int i;

	*all_writable = 1;
	for (i = 0; i < nsocks; i++) {
		sum += look(&socks[i]);
		*all_writable &= writable(&socks[i]);
	}
	return sum;
}

/* A waiter sleeps in poll(POLLOUT) from before the first release. */
static void park(struct sock *s)
{
	int ends[2];

	if (s->waiter || writable(s))
		return;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		die("pipe");
	s->woken = ends[0];
	s->waiter = fork();
	if (s->waiter < 0)
		die("fork");
	if (!s->waiter) {
		struct pollfd p = { .fd = s->fd, .events = POLLOUT };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (poll(&p, 1, -1) < 0 || !(p.revents & POLLOUT))
			if (p.revents & POLLERR)
				break;
		if (write(ends[1], "w", 1) != 1)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
}

/* Does the waiter sleep on though the socket is writable, and stays so? */
static void check_asleep(struct sock *s)
{
	int64_t bytes = look(s);
	int i;
	char c;

	if (!s->waiter || bytes + s->truesize >= s->sndbuf / 2)
		return;
	for (i = 0; i < 11; i++) {
		if (read(s->woken, &c, 1) == 1) {
			waitpid(s->waiter, NULL, 0);
			close(s->woken);
			s->waiter = 0;
			return;
		}
		if (!writable(s) || look(s) != bytes)
			return;
		rest(32000000);
	}
	s->asleep = 1;
}

static int link_type(int fd, const char *link, uint8_t *own)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", link);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		die(link);
	memcpy(own, ifr.ifr_hwaddr.sa_data, 6);
	return ifr.ifr_hwaddr.sa_family;
}

/* Where a packet socket sends: RFC 1112 6.4, or everyone. */
static void link_destination(uint8_t *to)
{
	uint32_t d = ntohl(inet_addr(DESTINATION));

	memset(to, 0xff, 6);
	if ((d >> 28) == 14) {
		to[0] = 0x01;
		to[1] = 0x00;
		to[2] = 0x5e;
		to[3] = (d >> 16) & 0x7f;
		to[4] = (d >> 8) & 0xff;
		to[5] = d & 0xff;
	}
}

static void set_int(int fd, int level, int option, int value, const char *what)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die(what);
}

static int multicast(void)
{
	return (ntohl(inet_addr(DESTINATION)) >> 28) == 14;
}

static int by_multicast_if(void)
{
	return SOCKET < PACKET && !PKTINFO && multicast();
}

static void choose_link(int fd, const struct target *t)
{
	struct ip_mreqn req = { .imr_ifindex = (int)if_nametoindex(t->link) };

	if (setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &req, sizeof(req)))
		die("IP_MULTICAST_IF");
}

static void open_sock(struct sock *s, int first, int count)
{
	static const int family[] = { AF_INET, AF_INET, AF_INET, AF_PACKET, AF_PACKET };
	static const int type[] = { SOCK_RAW, SOCK_RAW, SOCK_DGRAM, SOCK_RAW, SOCK_DGRAM };
	static const int protocol[] = { PROTOCOL, PROTOCOL, IPPROTO_UDP, 0, 0 };
	struct sock_filter none = { .code = BPF_RET | BPF_K };
	struct sock_fprog nothing = { .len = 1, .filter = &none };
	int size;
	socklen_t length = sizeof(size);

	memset(s, 0, sizeof(*s));
	s->first = first;
	s->count = count;
	s->to_stall = -1;
	s->fd = socket(family[SOCKET], type[SOCKET] | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol[SOCKET]);
	if (s->fd < 0)
		die("socket");
	/* What arrives must not fill it: nobody reads. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing, sizeof(nothing)))
		die("SO_ATTACH_FILTER");
	if (SNDBUF) {
		set_int(s->fd, SOL_SOCKET, SO_SNDBUF, SNDBUF, "SO_SNDBUF");
		size = SNDBUF;
		setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	}
	if (getsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, &length))
		die("SO_SNDBUF");
	s->sndbuf = size;
	if (SOCKET >= PACKET)
		return;
	set_int(s->fd, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
	set_int(s->fd, SOL_IP, IP_RECVERR, 1, "IP_RECVERR");
	set_int(s->fd, SOL_IP, IP_TOS, TOS, "IP_TOS");
	if (SOCKET == HDRINCL)
		set_int(s->fd, SOL_IP, IP_HDRINCL, 1, "IP_HDRINCL");
	else if (ROUTER_ALERT && setsockopt(s->fd, SOL_IP, IP_OPTIONS, "\x94\x04\x00\x00", 4))
		die("IP_OPTIONS");
	if (multicast()) {
		set_int(s->fd, SOL_IP, IP_MULTICAST_TTL, TTL, "IP_MULTICAST_TTL");
		set_int(s->fd, SOL_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP");
	} else {
		set_int(s->fd, SOL_IP, IP_TTL, TTL, "IP_TTL");
	}
	if (by_multicast_if())
		choose_link(s->fd, &targets[first]);
}

/* One packet through the link whose turn it is. */
static int send_one(struct sock *s)
{
	const struct target *t = &targets[s->first + s->turn];
	static uint8_t frame[14 + 65536];
	union {
		struct sockaddr_in in;
		struct sockaddr_ll ll;
	} to;
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)t->data, .iov_len = t->length };
	struct msghdr msg = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1 };
	uint8_t own[8];

	memset(&to, 0, sizeof(to));
	memset(&control, 0, sizeof(control));
	if (SOCKET >= PACKET) {
		int ether = link_type(s->fd, t->link, own);

		msg.msg_namelen = sizeof(to.ll);
		to.ll.sll_family = AF_PACKET;
		to.ll.sll_protocol = htons(0x0800);
		to.ll.sll_ifindex = (int)if_nametoindex(t->link);
		if (ether == ARPHRD_ETHER || ether == ARPHRD_LOOPBACK) {
			to.ll.sll_halen = 6;
			link_destination(to.ll.sll_addr);
			if (SOCKET == PACKET) {
				memcpy(frame, to.ll.sll_addr, 6);
				memcpy(frame + 6, own, 6);
				frame[12] = 0x08;
				frame[13] = 0x00;
				memcpy(frame + 14, t->data, t->length);
				iov.iov_base = frame;
				iov.iov_len = 14 + t->length;
			}
		}
	} else {
		msg.msg_namelen = sizeof(to.in);
		to.in.sin_family = AF_INET;
		to.in.sin_port = SOCKET == UDP ? htons(PORT) : 0;
		to.in.sin_addr.s_addr = inet_addr(DESTINATION);
		if (by_multicast_if()) {
			if (s->count > 1)
				choose_link(s->fd, t);
		} else {
			struct in_pktinfo info = { .ipi_ifindex = (int)if_nametoindex(t->link) };

			if (SOCKET != HDRINCL && t->source[0])
				info.ipi_spec_dst.s_addr = inet_addr(t->source);
			msg.msg_control = &control;
			msg.msg_controllen = sizeof(control);
			control.header.cmsg_level = SOL_IP;
			control.header.cmsg_type = IP_PKTINFO;
			control.header.cmsg_len = CMSG_LEN(sizeof(info));
			memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
		}
	}
	return sendmsg(s->fd, &msg, 0) < 0 ? errno : 0;
}

/* ICMP errors are about earlier packets, and say nothing of the link. */
static int was_reported(struct sock *s, int error)
{
	int found = 0, i;

	for (i = 0; i < 1024; i++) {
		uint8_t buffer[256];
		struct msghdr msg = { .msg_control = buffer, .msg_controllen = sizeof(buffer) };
		struct cmsghdr *c;

		if (recvmsg(s->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			struct sock_extended_err e;

			if (c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR)
				continue;
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			if (e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6) {
				reported++;
				found |= (int)e.ee_errno == error;
			}
		}
	}
	return found;
}

/* Waits until the socket is writable; 0 if it stays full. */
static int wait_for(struct sock *s)
{
	int64_t until = now() + (int64_t)BLOCK_MS * 1000000;

	blocked++;
	if (s->to_stall < 0)
		s->to_stall = s->sent;
	park(s);
	while (!writable(s)) {
		look(s);
		if (DURATION_NS == 0 && now() > until)
			return 0;
		if (DURATION_NS && now() > until + DURATION_NS)
			return 0;
		was_reported(s, 0);
		rest(500000);
	}
	return 1;
}

/* A full send buffer of a raw socket without IP_HDRINCL gives ENOBUFS itself. */
static int is_full(struct sock *s, int error)
{
	if (error == EAGAIN)
		return 1;
	return error == ENOBUFS && (int64_t)charge(s) >= 2 * s->sndbuf - 960 - 2 * (int64_t)targets[s->first].length;
}

static void send_next(struct sock *s)
{
	static int in_a_row;
	int again = 0, error;
	int64_t before, after;

	if (POLL_FIRST && !writable(s)) {
		was_reported(s, 0);
		if (!writable(s) && !wait_for(s)) {
			s->given_up = 1;
			return;
		}
	}
	for (;;) {
		before = look(s);
		error = send_one(s);
		if (!error)
			break;
		if (error == EINTR)
			continue;
		if (is_full(s, error)) {
			if (!wait_for(s)) {
				s->given_up = 1;
				return;
			}
			continue;
		}
		if (again < 1024 && (was_reported(s, error) || !again++))
			continue;
		break;
	}
	s->left--;
	s->turn = (s->turn + 1) % s->count;
	if (error) {
		refused++;
		if (error != ENOBUFS)
			hard_refused++;
		if (++in_a_row % 64 == 0)
			rest(200000);
		return;
	}
	in_a_row = 0;
	s->sent++;
	after = look(s);
	if (after - before > s->truesize)
		s->truesize = after - before;
	if (s->to_stall < 0 && !writable(s))
		s->to_stall = s->sent;
}

static void traffic(void)
{
	int64_t start = now();
	int slot = 0, alive = 1, i = 0;

	while (alive) {
		if (DURATION_NS && now() - start >= DURATION_NS)
			return;
		if (TICK_NS && slot % BURST == 0)
			while (now() - start < (int64_t)(slot / BURST) * TICK_NS) {
				int w;

				look_all(&w);
				if (DURATION_NS && now() - start >= DURATION_NS)
					return;
				if ((int64_t)(slot / BURST) * TICK_NS - (now() - start) > 200000)
					rest(200000);
			}
		slot++;
		if (socks[i].left > 0 && !socks[i].given_up)
			send_next(&socks[i]);
		i = (i + 1) % nsocks;
		alive = 0;
		for (int k = 0; k < nsocks; k++)
			alive |= socks[k].left > 0 && !socks[k].given_up;
	}
}

/* Reads until nothing is charged, or nothing moved for so long. */
static int64_t await_charge(int still_ms, int most_ms, int *w)
{
	int64_t began = now(), moved = began, last = look_all(w), bytes;

	while (last && now() - moved < (int64_t)still_ms * 1000000 && now() - began < (int64_t)most_ms * 1000000) {
		rest(2000000);
		bytes = look_all(w);
		if (bytes != last) {
			last = bytes;
			moved = now();
		}
	}
	return last;
}

static void tell(const char *what, int64_t bytes, int w)
{
	int64_t held = 0, peak = 0, size = 0;
	int sent = 0, silenced = 0, underflow = 0, asleep = 0, stall = -1, i;

	for (i = 0; i < nsocks; i++) {
		held += socks[i].held;
		peak = socks[i].peak > peak ? socks[i].peak : peak;
		size = socks[i].truesize > size ? socks[i].truesize : size;
		sent += socks[i].sent;
		silenced |= socks[i].silenced;
		underflow |= socks[i].underflow;
		asleep |= socks[i].asleep;
		if (stall < 0 || (socks[i].to_stall >= 0 && socks[i].to_stall < stall))
			stall = socks[i].to_stall;
	}
	say("%s bytes=%lld writable=%d sent=%d refused=%d hard=%d reported=%d blocked=%d held=%lld peak=%lld truesize=%lld silenced=%d underflow=%d asleep=%d stall=%d sndbuf=%lld",
	    what, (long long)bytes, w, sent, refused, hard_refused, reported, blocked, (long long)held, (long long)peak,
	    (long long)size, silenced, underflow, asleep, stall, (long long)socks[0].sndbuf);
}

/*
 * Sends, settles, and then answers what is asked on standard input: "patience"
 * waits whether time alone lets go, "look" reads the charge after something was
 * undone, "probe" sends one packet more; the end of input is the end.
 */
static int sender(void)
{
	char line[64];
	int64_t bytes, began;
	int w, i;

	nsocks = PER_LINK ? TARGETS : 1;
	for (i = 0; i < nsocks; i++) {
		open_sock(&socks[i], PER_LINK ? i : 0, PER_LINK ? 1 : TARGETS);
		socks[i].left = COUNT ? COUNT / nsocks + (i < COUNT % nsocks) : 0x7fffffff;
	}
	say("ready");
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	traffic();
	for (began = now(); now() - began < (int64_t)WINDOW_MS * 1000000;) {
		if (!look_all(&w))
			break;
		rest(1000000);
	}
	bytes = look_all(&w);
	tell("settled", bytes, w);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "patience\n")) {
			for (i = 0; i < nsocks; i++)
				park(&socks[i]);
			bytes = await_charge(PATIENCE_MS, PATIENCE_MS, &w);
			for (i = 0; i < nsocks; i++)
				check_asleep(&socks[i]);
		} else if (!strcmp(line, "probe\n")) {
			refused = hard_refused = 0;
			for (i = 0; i < nsocks; i++) {
				int error = send_one(&socks[i]);

				if (error)
					error = send_one(&socks[i]);
				if (error)
					refused++;
			}
			bytes = look_all(&w);
		} else {
			bytes = await_charge(!strcmp(line, "look long\n") ? 600 : 150, 3000, &w);
			for (i = 0; i < nsocks; i++)
				check_asleep(&socks[i]);
		}
		tell("charge", bytes, w);
	}
	for (i = 0; i < nsocks; i++)
		if (socks[i].waiter) {
			kill(socks[i].waiter, SIGKILL);
			waitpid(socks[i].waiter, NULL, 0);
		}
	return 0;
}
