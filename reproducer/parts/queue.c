
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

static volatile sig_atomic_t give_verdicts;

static void on_give(int signal)
{
	(void)signal;
	give_verdicts = 1;
}

static void queue_request(int fd, int number, int type, int attr, const void *data, size_t length, int ack)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		struct nlattr a;
		uint8_t data[32];
	} req;

	memset(&req, 0, sizeof(req));
	req.h.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(req.g)) + NLA_HDRLEN + NLMSG_ALIGN(length));
	req.h.nlmsg_type = (uint16_t)((NFNL_SUBSYS_QUEUE << 8) | type);
	req.h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (ack ? NLM_F_ACK : 0));
	req.g.res_id = htons((uint16_t)number);
	req.a.nla_type = (uint16_t)attr;
	req.a.nla_len = (uint16_t)(NLA_HDRLEN + length);
	memcpy(req.data, data, length);
	if (send(fd, &req, req.h.nlmsg_len, 0) < 0)
		die("nfnetlink");
	if (ack) {
		struct {
			struct nlmsghdr h;
			struct nlmsgerr e;
			uint8_t more[256];
		} answer;

		if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)(sizeof(answer.h) + sizeof(answer.e.error)))
			die("nfnetlink does not answer");
		if (answer.e.error) {
			errno = -answer.e.error;
			die("NFQUEUE listener");
		}
	}
}

static void queue_verdict(int fd, int number, uint32_t id, uint32_t verdict)
{
	struct nfqnl_msg_verdict_hdr v = { .verdict = htonl(verdict), .id = htonl(id) };

	queue_request(fd, number, NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &v, sizeof(v), 0);
}

static uint32_t packet_id(const struct nlmsghdr *h)
{
	const uint8_t *at = (const uint8_t *)h + NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const uint8_t *end = (const uint8_t *)h + h->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		struct nlattr a;
		uint32_t id;

		memcpy(&a, at, sizeof(a));
		if (a.nla_len < NLA_HDRLEN)
			break;
		if ((a.nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
			memcpy(&id, at + NLA_HDRLEN, sizeof(id));
			return ntohl(id);
		}
		at += NLA_ALIGN(a.nla_len);
	}
	return 0;
}

/*
 * queue NUMBER VERDICT MAXLEN KEEP...: a program bound to an NFQUEUE that accepts,
 * drops or says nothing ("none"), and withholds its verdict on the packets listed,
 * counted from 1. SIGUSR1 makes it accept what it withheld and all that follows.
 */
static int queue(char **args)
{
	struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET) };
	struct nfqnl_msg_config_params copy = { .copy_range = 0, .copy_mode = NFQNL_COPY_META };
	struct sigaction act = { .sa_handler = on_give };
	static uint8_t buffer[65536];
	static uint32_t withheld[1 << 16];
	int number = atoi(args[0]), seen = 0, nwithheld = 0, size = 64 << 20, on = 1;
	int none = !strcmp(args[1], "none");
	uint32_t verdict = !strcmp(args[1], "drop") ? NF_DROP : NF_ACCEPT;
	uint32_t maxlen = htonl((uint32_t)atoi(args[2]));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct timeval wait = { .tv_usec = 20000 };

	if (fd < 0)
		die("nfnetlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	queue_request(fd, number, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind, sizeof(bind), 1);
	queue_request(fd, number, NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS, &copy, sizeof(copy), 1);
	queue_request(fd, number, NFQNL_MSG_CONFIG, NFQA_CFG_QUEUE_MAXLEN, &maxlen, sizeof(maxlen), 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	sigaction(SIGUSR1, &act, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say("ready");
	for (;;) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)buffer;

		if (got < 0 && errno == EBADF)
			return 1;
		if (give_verdicts) {
			none = 0;
			verdict = NF_ACCEPT;
			while (nwithheld > 0)
				queue_verdict(fd, number, withheld[--nwithheld], NF_ACCEPT);
		}
		for (; got > 0 && NLMSG_OK(h, (uint32_t)got); h = NLMSG_NEXT(h, got)) {
			int keep = 0, i;

			if (h->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
				continue;
			seen++;
			for (i = 3; args[i]; i++)
				keep |= atoi(args[i]) == seen;
			if ((none || keep) && !give_verdicts) {
				if (nwithheld < 1 << 16)
					withheld[nwithheld++] = packet_id(h);
				continue;
			}
			queue_verdict(fd, number, packet_id(h), verdict);
		}
	}
}
