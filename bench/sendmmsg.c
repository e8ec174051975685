// SPDX-License-Identifier: GPL-2.0-only

//go:build ignore

// The peer of skleak's sender: the same packet, through the same link, from the
// same kind of socket, 64 to a call, and nothing else. Package bench compiles it
// with gcc; the first line keeps go from trying to.
//
//   sendmmsg IFINDEX DESTINATION COUNT < PACKET
//
// It prints packets taken, packets refused and nanoseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LARGEST = 65536 };

static void fail(const char *what)
{
	fprintf(stderr, "sendmmsg: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set(int fd, int level, int option, const void *value, socklen_t length, const char *what)
{
	if (setsockopt(fd, level, option, value, length) < 0)
		fail(what);
}

static int open_socket(int ifindex, int protocol)
{
	int on = 1, off = 0, ttl = 1, tos = 0xc0;
	struct sock_filter none = {.code = BPF_RET | BPF_K};
	struct sock_fprog program = {.len = 1, .filter = &none};
	struct ip_mreqn link = {.imr_ifindex = ifindex};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		fail("open a raw socket");
	set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program), "drop all input");
	set(fd, SOL_IP, IP_RECVERR, &on, sizeof(on), "IP_RECVERR");
	set(fd, SOL_IP, IP_HDRINCL, &on, sizeof(on), "IP_HDRINCL");
	set(fd, SOL_IP, IP_TOS, &tos, sizeof(tos), "IP_TOS");
	set(fd, SOL_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl), "IP_MULTICAST_TTL");
	set(fd, SOL_IP, IP_MULTICAST_LOOP, &off, sizeof(off), "IP_MULTICAST_LOOP");
	set(fd, SOL_IP, IP_MULTICAST_IF, &link, sizeof(link), "IP_MULTICAST_IF");
	return fd;
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	static unsigned char packet[LARGEST];
	struct mmsghdr messages[BATCH] = {0};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iovec data = {.iov_base = packet};
	long long count, taken = 0, refused = 0, start;
	int fd;

	if (argc != 4 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: sendmmsg IFINDEX DESTINATION COUNT < PACKET\n");
		return 2;
	}
	count = atoll(argv[3]);
	data.iov_len = fread(packet, 1, sizeof(packet), stdin);
	if (data.iov_len < 20) {
		fprintf(stderr, "sendmmsg: no IP packet on stdin\n");
		return 2;
	}
	fd = open_socket(atoi(argv[1]), packet[9]);
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1};

	start = now();
	while (taken + refused < count) {
		long long left = count - taken - refused;
		int n = sendmmsg(fd, messages, left < BATCH ? left : BATCH, MSG_DONTWAIT);

		if (n > 0) {
			taken += n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			if (poll(&wait, 1, 1000) <= 0)
				fail("wait for a full socket");
		} else if (errno != EINTR) {
			refused++;
		}
	}
	printf("%lld %lld %lld\n", taken, refused, now() - start);
	return close(fd);
}
