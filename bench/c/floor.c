/*
 * The floor: the least a server can do that answers WebSocket handshakes and writes one
 * frame to everybody, with epoll and write(), on one thread.
 *
 *   floor [--send] [GREETING-FILE]
 *
 * --send: with send(), which costs the kernel a little less than write().
 * Prints "ready PORT". Each line on stdin is sent to every reader as one text frame, "sent N"
 * answers it; a reader first gets the greeting, if one is given. Ends with its stdin.
 * A reader whose socket is full misses the frame: the floor is a measure, not a product.
 */
#define _GNU_SOURCE
#include "sha1.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_FDS = 65536, MOST_FRAME = 1 << 20, MOST_REQUEST = 4096, EVENTS = 512 };

static int readers[MOST_FDS];   /* dense list of the fds that have shaken hands */
static int place[MOST_FDS];     /* fd -> its index there, or -1 */
static int count;
static char frame[MOST_FRAME + 10], greeting[MOST_FRAME + 10], line[MOST_FRAME];
static size_t greeting_size, line_size;
static int poll_fd, listen_fd, by_send;

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Lay a text frame of n payload bytes into out; answer its size. */
static size_t lay_frame(char *out, const char *text, size_t n) {
    size_t at = 0;
    out[at++] = (char)0x81;
    if (n < 126) {
        out[at++] = (char)n;
    } else if (n < 65536) {
        out[at++] = 126, out[at++] = (char)(n >> 8), out[at++] = (char)n;
    } else {
        out[at++] = 127;
        for (int s = 56; s >= 0; s -= 8) out[at++] = (char)((uint64_t)n >> s);
    }
    memcpy(out + at, text, n);
    return at + n;
}

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
}

static void leave(int fd) {
    if (place[fd] >= 0) {
        int last = readers[--count];
        readers[place[fd]] = last;
        place[last] = place[fd];
        place[fd] = -1;
    }
    close(fd);
}

static void welcome(void) {
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
        if (fd < 0) {
            if (errno == EAGAIN || errno == EMFILE || errno == ECONNABORTED) return;
            die("accept");
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        place[fd] = -1;
        watch(fd);
    }
}

/* Take a whole request in one read (loopback), or refuse; later bytes mean a close frame. */
static void hear(int fd) {
    char request[MOST_REQUEST + 1], answer[256], accept[29];
    ssize_t n = read(fd, request, MOST_REQUEST);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return leave(fd);
    if (place[fd] >= 0) {
        if (((unsigned char)request[0] & 15) == 8) leave(fd);
        return;
    }
    request[n] = 0;
    char *key = strcasestr(request, "\r\nsec-websocket-key: ");
    if (!key || !strstr(request, "\r\n\r\n")) return leave(fd);
    websocket_accept(key + 21, accept);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    if (write(fd, answer, (size_t)size) != size) return leave(fd);
    if (greeting_size && write(fd, greeting, greeting_size) < 0) return leave(fd);
    place[fd] = count;
    readers[count++] = fd;
}

static void broadcast(const char *text, size_t n) {
    size_t size = lay_frame(frame, text, n);
    int sent = 0;
    if (by_send)
        for (int i = 0; i < count; i++)
            sent += send(readers[i], frame, size, MSG_NOSIGNAL) == (ssize_t)size;
    else
        for (int i = 0; i < count; i++)
            sent += write(readers[i], frame, size) == (ssize_t)size;
    printf("sent %d\n", sent);
    fflush(stdout);
}

static void obey(void) {
    ssize_t n = read(0, line + line_size, sizeof line - line_size);
    if (n <= 0) exit(0);
    line_size += (size_t)n;
    for (char *end; (end = memchr(line, '\n', line_size));) {
        broadcast(line, (size_t)(end - line));
        line_size -= (size_t)(end + 1 - line);
        memmove(line, end + 1, line_size);
    }
    if (line_size == sizeof line) exit(2);
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int on = 1;
    if (argc > 1 && !strcmp(argv[1], "--send")) by_send = 1, argc--, argv++;
    if (argc > 1) {
        FILE *f = fopen(argv[1], "r");
        if (!f) die(argv[1]);
        size_t n = fread(line, 1, sizeof line, f);
        fclose(f);
        greeting_size = lay_frame(greeting, line, n);
    }
    memset(place, -1, sizeof place);
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listen_fd, (void *)&at, sizeof at) || listen(listen_fd, 4096)) die("listen");
    getsockname(listen_fd, (void *)&at, &size);
    poll_fd = epoll_create1(0);
    watch(listen_fd);
    watch(0);
    printf("ready %d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listen_fd) welcome();
            else if (fd == 0) obey();
            else hear(fd);
        }
    }
}
