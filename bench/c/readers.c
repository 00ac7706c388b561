/*
 * The crowd: opens WebSocket readers, counts what they get, and says when the last one had it.
 *
 *   readers --port P --path /x [--first F] [--sources S] [--match TEXT]… [--greeted] [--deflate]
 *           [--rcvbuf BYTES] [--mss BYTES] [--window W] [--stall | --drip BYTES:MS]
 *
 * They connect from S addresses in turn, from 127.0.0.(1+F) on.
 *
 * Commands on stdin, one answer line of "name key=value…" each (times: CLOCK_MONOTONIC in ns):
 *   open N          N more readers, W handshakes at a time; with --greeted, each up to its
 *                   first message
 *   expect K MS     until every reader got K messages more, MS at most
 *   drain QUIET MS  until nothing came for QUIET ms, MS at most
 *   close           a close frame each, and away
 * Ends with its stdin.
 *
 * It sleeps on a 1 ms timer, never in epoll: a sleeper there is woken by the server, which then
 * pays a cross-CPU wake-up per delivery. A message counts if a TEXT is among its first bytes, so
 * that heartbeats do not; a compressed one always counts.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 20000, START = 96, BUFFER = 1 << 18, EVENTS = 4096, OPEN_WAIT_MS = 30000 };
enum state { CONNECTING, UPGRADING, GREETING, OPEN, GONE };

struct reader {
    int fd;
    uint8_t state, head_size, start_size;
    bool counts;             /* the message under way matched */
    bool begun;              /* a fragment of it has come before */
    uint8_t head[10];
    uint32_t seen, base;     /* messages in all, and at the last mark */
    uint64_t left;           /* payload bytes of the frame under way still to come */
    char start[START];
};

static struct reader readers[MOST];
static int count, poll_fd, in_flight, failed, deflated, lost, complete, target;
static uint64_t bytes, messages, others, half_at;
static char buffer[BUFFER], request[1024];
static size_t request_size;

static int port, first = 1, sources = 1, window = 64, rcvbuf, mss, drip_bytes, drip_ms;
static const char *path = "/", *match[2] = {"", NULL};
static bool greeted, deflate, stall;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void nap(void) {
    struct timespec t = {.tv_nsec = 1000000};
    nanosleep(&t, NULL);
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Why the first of those that failed did: what the last system call said, and what state it was in. */
static void complain(const struct reader *r) {
    static const char *doing[] = {"connecting", "shaking hands", "waiting for the first message"};
    if (failed++) return;
    fprintf(stderr, "readers: while %s: %s\n", doing[r->state], errno ? strerror(errno) : "closed");
}

static void drop(struct reader *r) {
    if (r->state < OPEN) complain(r), in_flight--;
    else if (r->state == OPEN) lost++;
    r->state = GONE;
    close(r->fd);
}

static void watch(struct reader *r, int op, uint32_t events) {
    struct epoll_event e = {.events = events, .data.u32 = (uint32_t)(r - readers)};
    if (epoll_ctl(poll_fd, op, r->fd, &e)) die("epoll_ctl");
}

static void settle_in(struct reader *r) {
    r->state = OPEN;
    in_flight--;
    if (stall || drip_bytes) watch(r, EPOLL_CTL_DEL, 0);
}

static void end_message(struct reader *r) {
    for (int i = 0; i < 2 && match[i]; i++)
        if (memmem(r->start, r->start_size, match[i], strlen(match[i]))) r->counts = true;
    if (r->state == GREETING) {
        settle_in(r);
    } else if (r->counts) {
        messages++;
        if (++r->seen - r->base == (uint32_t)target && ++complete == (count + 1) / 2)
            half_at = now();
    } else {
        others++;
    }
    r->counts = false;
    r->start_size = 0;
}

/* Size of the header that starts with these bytes, or 0 while that is unknown. */
static unsigned header_size(const struct reader *r) {
    if (r->head_size < 2) return 0;
    unsigned n = r->head[1] & 127;
    return n == 126 ? 4 : n == 127 ? 10 : 2;
}

static uint64_t payload_size(const struct reader *r, unsigned head) {
    uint64_t n = 0;
    if (head == 2) return r->head[1] & 127;
    for (unsigned i = 2; i < head; i++) n = n << 8 | r->head[i];
    return n;
}

/* Take bytes off the socket's stream: headers byte by byte, payloads in one step. */
static void parse(struct reader *r, const char *at, size_t n) {
    const char *end = at + n;
    bytes += n;
    for (;;) {
        while (!r->left && at < end) {
            r->head[r->head_size++] = (uint8_t)*at++;
            unsigned head = header_size(r);
            if (!head || r->head_size < head) continue;
            r->left = payload_size(r, head);
            if ((r->head[0] & 15) == 8) return drop(r);
            if (r->head[0] & 64) r->counts = true;
            break;
        }
        unsigned head = header_size(r);
        if (!head || r->head_size < head) return;
        size_t take = (size_t)(end - at) < r->left ? (size_t)(end - at) : r->left;
        bool data = !(r->head[0] & 8);
        if (data && r->start_size < START) {
            size_t room = (size_t)START - r->start_size, keep = room < take ? room : take;
            memcpy(r->start + r->start_size, at, keep);
            r->start_size = (uint8_t)(r->start_size + keep);
        }
        at += take;
        r->left -= take;
        if (r->left) return;
        r->head_size = 0;
        if (data && r->head[0] & 128) end_message(r);
        if (at == end || r->state == GONE) return;
    }
}

static void upgrade(struct reader *r) {
    ssize_t n = recv(r->fd, buffer, BUFFER - 1, MSG_PEEK);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(r);
    buffer[n] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (!end) return;
    if (strncmp(buffer, "HTTP/1.1 101", 12)) {
        if (!failed) fprintf(stderr, "readers: %.*s\n", (int)strcspn(buffer, "\r"), buffer);
        return drop(r);
    }
    *end = 0;
    if (strcasestr(buffer, "permessage-deflate")) deflated++;
    if (read(r->fd, buffer, (size_t)(end + 4 - buffer)) < 0) return drop(r);
    if (greeted) r->state = GREETING;
    else settle_in(r);
}

static void hear(struct reader *r) {
    errno = 0;
    if (r->state == CONNECTING) {
        if (write(r->fd, request, request_size) != (ssize_t)request_size) return drop(r);
        r->state = UPGRADING;
        watch(r, EPOLL_CTL_MOD, EPOLLIN);
        return;
    }
    if (r->state == UPGRADING) return upgrade(r);
    ssize_t n = read(r->fd, buffer, BUFFER);
    if (n > 0) parse(r, buffer, (size_t)n);
    else if (n == 0 || errno != EAGAIN) drop(r);
}

/* Serve every socket that has something, then sleep, unless there was more than fits a sweep. */
static void sweep(void) {
    static struct epoll_event events[EVENTS];
    int n = epoll_wait(poll_fd, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        struct reader *r = &readers[events[i].data.u32];
        if (r->state != GONE) hear(r);
    }
    if (n < EVENTS) nap();
}

static void dial(struct reader *r, int number) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, from = to;
    int on = 1;
    memset(r, 0, sizeof *r);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0) die("socket");
    if (rcvbuf) setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    if (mss) setsockopt(r->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof mss);
    setsockopt(r->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    from.sin_port = 0;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(first + number % sources));
    if (bind(r->fd, (void *)&from, sizeof from)) die("bind");
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(r->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
    in_flight++;
    watch(r, EPOLL_CTL_ADD, EPOLLOUT);
}

static void open_readers(int n) {
    uint64_t from = now(), deadline = from + OPEN_WAIT_MS * 1000000ull, had = bytes;
    int made = 0, before = count;
    failed = deflated = 0;
    if (count + n > MOST) n = MOST - count;
    while ((made < n || in_flight) && now() < deadline) {
        int had_flight = in_flight;
        for (; made < n && in_flight < window; made++) dial(&readers[count], count), count++;
        sweep();
        if (in_flight < had_flight) deadline = now() + OPEN_WAIT_MS * 1000000ull;
    }
    printf("opened ok=%d failed=%d deflated=%d bytes=%llu first=%llu last=%llu\n",
           count - before - failed - in_flight, failed + in_flight, deflated,
           (unsigned long long)(bytes - had), (unsigned long long)from, (unsigned long long)now());
}

static void expect(int more, int most_ms) {
    uint64_t from = now(), deadline = from + (uint64_t)most_ms * 1000000u, had = bytes, last = from;
    uint64_t had_others = others;
    int over = 0;
    target = more;
    complete = 0;
    half_at = from;
    for (int i = 0; i < count; i++)
        if (readers[i].seen - readers[i].base >= (uint32_t)more) complete++;
    while (complete < count - lost && now() < deadline) {
        int was = complete;
        sweep();
        if (complete != was) last = now();
    }
    for (int i = 0; i < count; i++) {
        readers[i].base += (uint32_t)more;
        if ((int32_t)(readers[i].seen - readers[i].base) > 0) over++;
    }
    target = 0;
    printf("got complete=%d of=%d over=%d lost=%d bytes=%llu others=%llu half=%llu last=%llu\n",
           complete, count, over, lost, (unsigned long long)(bytes - had),
           (unsigned long long)(others - had_others), (unsigned long long)half_at,
           (unsigned long long)last);
}

static void drain(int quiet_ms, int most_ms) {
    uint64_t deadline = now() + (uint64_t)most_ms * 1000000u, last = now(), had = bytes, total = 0;
    uint32_t least = UINT32_MAX, most = 0;
    while (now() < deadline && now() - last < (uint64_t)quiet_ms * 1000000u) {
        uint64_t was = messages;
        sweep();
        if (messages != was) last = now();
    }
    for (int i = 0; i < count; i++) {
        uint32_t got = readers[i].seen - readers[i].base;
        if (got < least) least = got;
        if (got > most) most = got;
        total += got;
        readers[i].base = readers[i].seen;
    }
    printf("drained messages=%llu least=%u most=%u of=%d lost=%d bytes=%llu last=%llu\n",
           (unsigned long long)total, count ? least : 0, most, count, lost,
           (unsigned long long)(bytes - had), (unsigned long long)last);
}

/* Say 1001 as a browser does when its page is left, wait for the server's end, and go. */
static void close_readers(void) {
    static const unsigned char bye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE9};
    uint64_t deadline = now() + 5000000000ull;
    int left = 0, clean = 0;
    for (int i = 0; i < count; i++) {
        if (readers[i].state == GONE) continue;
        if (write(readers[i].fd, bye, sizeof bye) == (ssize_t)sizeof bye) left++;
    }
    while (!stall && !drip_bytes && left > 0 && now() < deadline) {
        int was = lost;
        sweep();
        left -= lost - was;
        clean += lost - was;
    }
    for (int i = 0; i < count; i++)
        if (readers[i].state != GONE) close(readers[i].fd);
    printf("closed of=%d clean=%d\n", count, clean);
    count = lost = in_flight = 0;
}

static void drip(void) {
    for (int i = 0; i < count; i++) {
        if (readers[i].state != OPEN) continue;
        ssize_t n = read(readers[i].fd, buffer, (size_t)drip_bytes);
        if (n > 0) parse(&readers[i], buffer, (size_t)n);
        else if (n == 0 || errno != EAGAIN) drop(&readers[i]);
    }
}

static void obey(char *line) {
    int a, b;
    if (sscanf(line, "open %d", &a) == 1) open_readers(a);
    else if (sscanf(line, "expect %d %d", &a, &b) == 2) expect(a, b);
    else if (sscanf(line, "drain %d %d", &a, &b) == 2) drain(a, b);
    else if (!strncmp(line, "close", 5)) close_readers();
    else printf("error unknown command\n");
    fflush(stdout);
}

static void configure(int argc, char **argv) {
    int matches = 0;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(name, "--greeted")) { greeted = true; continue; }
        if (!strcmp(name, "--deflate")) { deflate = true; continue; }
        if (!strcmp(name, "--stall")) { stall = true; continue; }
        i++;
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--first")) first = atoi(value);
        else if (!strcmp(name, "--sources")) sources = atoi(value);
        else if (!strcmp(name, "--match") && matches < 2) match[matches++] = value;
        else if (!strcmp(name, "--rcvbuf")) rcvbuf = atoi(value);
        else if (!strcmp(name, "--mss")) mss = atoi(value);
        else if (!strcmp(name, "--window")) window = atoi(value);
        else if (!strcmp(name, "--drip")) sscanf(value, "%d:%d", &drip_bytes, &drip_ms);
        else die(name);
    }
    if (port <= 0 || first < 0 || sources < 1 || window < 1) errno = EINVAL, die("options");
    request_size = (size_t)snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
        path, port, deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    if (request_size >= sizeof request) errno = EINVAL, die("path");
}

int main(int argc, char **argv) {
    struct rlimit files = {MOST, MOST};
    char line[128];
    size_t size = 0;
    configure(argc, argv);
    setrlimit(RLIMIT_NOFILE, &files);
    poll_fd = epoll_create1(0);
    for (;;) {
        struct pollfd in = {.fd = 0, .events = POLLIN};
        if (poll(&in, 1, drip_bytes ? drip_ms : -1) == 0) {
            drip();
            continue;
        }
        ssize_t n = read(0, line + size, 1);
        if (n <= 0) return 0;
        if (line[size++] != '\n' && size < sizeof line - 1) continue;
        line[size] = 0;
        size = 0;
        obey(line);
    }
}
