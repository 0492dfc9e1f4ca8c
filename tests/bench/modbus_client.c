/* The load: N connections with one outstanding request each, FC 4 of so many registers from 0. Prints answers, exceptions, seconds.
   usage: modbus_client PORT CONNECTIONS REGISTERS SECONDS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024 };
struct talk { int fd, got; unsigned short number; unsigned char bytes[512]; };
static struct talk talks[MOST];
static unsigned char request[12] = {0, 0, 0, 0, 0, 6, 1, 4, 0, 0, 0, 0};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ask(struct talk *t) {
    t->number++;
    request[0] = t->number >> 8;
    request[1] = t->number & 255;
    return send(t->fd, request, sizeof request, MSG_NOSIGNAL) == sizeof request ? 0 : -1;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int port = atoi(argv[1]), count = atoi(argv[2]), registers = atoi(argv[3]), one = 1;
    double seconds = atof(argv[4]);
    if (count > MOST) return 2;
    request[11] = registers;
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        talks[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(talks[i].fd, (struct sockaddr *)&to, sizeof to)) return perror("connect"), 1;
        setsockopt(talks[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &talks[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, talks[i].fd, &e);
    }
    for (int i = 0; i < count; i++) if (ask(&talks[i])) return 1;
    long long answers = 0, exceptions = 0;
    double begun = now(), until = begun + seconds;
    while (now() < until) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 100);
        for (int i = 0; i < ready; i++) {
            struct talk *t = events[i].data.ptr;
            int size = recv(t->fd, t->bytes + t->got, sizeof t->bytes - t->got, 0);
            if (size <= 0) return fprintf(stderr, "the server ended a connection\n"), 1;
            t->got += size;
            if (t->got < 9) continue;
            int whole = 6 + (t->bytes[4] << 8 | t->bytes[5]);
            if (t->got < whole) continue;
            if (t->got > whole || t->number != (t->bytes[0] << 8 | t->bytes[1])) return fprintf(stderr, "another answer\n"), 1;
            if (t->bytes[7] & 0x80) exceptions++;
            else if (t->bytes[7] != 4 || t->bytes[8] != 2 * registers) return fprintf(stderr, "a wrong answer\n"), 1;
            answers++;
            t->got = 0;
            if (ask(t)) return 1;
        }
    }
    printf("%lld %lld %.6f\n", answers, exceptions, now() - begun);
    return 0;
}
