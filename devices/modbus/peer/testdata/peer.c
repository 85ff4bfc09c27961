// A Modbus board made of libmodbus: "peer tcp PORT" or "peer rtu PATH".
//
// It says "ready PORT" and then "coil N V" whenever a coil is written. It is told:
//   input N V  the contact of discrete input N
//   mute       do nothing, answer nothing
//   lose       do what is asked, answer nothing
//   fine       answer again
//   noise V    V=1: bytes before each answer that belong to nothing (rtu)
//   reset      all coils off, as after a power cut
//   drop       close all connections (tcp)
#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHANNELS = 16, UNIT = 1 };

static modbus_t *bus;
static modbus_mapping_t *map;
static enum { FINE, MUTE, LOSE } manner = FINE;
static int noise, header;

static void answer(int fd, const uint8_t *q, int n) {
    modbus_set_socket(bus, fd);
    if (q[header - 1] != UNIT || manner == MUTE) return;
    int writes = q[header] == 5;
    int at = q[header + 1] << 8 | q[header + 2];
    if (manner == LOSE) {
        if (writes && at < CHANNELS) map->tab_bits[at] = q[header + 3] != 0;
    } else {
        if (noise) {
            static const uint8_t junk[] = {0x00, 0xFF, UNIT, 0x85, 0x01, 0x05};
            if (write(fd, junk, sizeof junk) != sizeof junk) return;
        }
        modbus_reply(bus, q, n, map);
    }
    if (writes && at < CHANNELS) {
        printf("coil %d %d\n", at, map->tab_bits[at]);
        fflush(stdout);
    }
}

static void obey(char *line, fd_set *open, int *top, int listener) {
    int n, v;
    if (sscanf(line, "input %d %d", &n, &v) == 2 && n >= 0 && n < CHANNELS) map->tab_input_bits[n] = v;
    else if (sscanf(line, "noise %d", &v) == 1) noise = v;
    else if (!strcmp(line, "mute\n")) manner = MUTE;
    else if (!strcmp(line, "lose\n")) manner = LOSE;
    else if (!strcmp(line, "fine\n")) manner = FINE;
    else if (!strcmp(line, "reset\n")) memset(map->tab_bits, 0, CHANNELS);
    else if (!strcmp(line, "drop\n"))
        for (int fd = 1; fd <= *top; fd++)
            if (fd != listener && FD_ISSET(fd, open)) FD_CLR(fd, open), close(fd);
    printf("did %s", line);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int tcp = !strcmp(argv[1], "tcp"), port = 0, listener = -1, top;
    bus = tcp ? modbus_new_tcp("127.0.0.1", atoi(argv[2])) : modbus_new_rtu(argv[2], 9600, 'N', 8, 1);
    map = modbus_mapping_new(CHANNELS, CHANNELS, 0, 0);
    if (!bus || !map || modbus_set_slave(bus, UNIT)) return 1;
    header = modbus_get_header_length(bus);
    fd_set open;
    FD_ZERO(&open);
    FD_SET(0, &open);
    if (tcp) {
        struct sockaddr_in a;
        socklen_t len = sizeof a;
        if ((top = listener = modbus_tcp_listen(bus, 8)) < 0) return perror("listen"), 1;
        if (getsockname(listener, (struct sockaddr *)&a, &len)) return 1;
        port = ntohs(a.sin_port);
    } else {
        if (modbus_connect(bus)) return perror(argv[2]), 1;
        top = modbus_get_socket(bus);
    }
    FD_SET(top, &open);
    printf("ready %d\n", port);
    fflush(stdout);
    for (;;) {
        fd_set now = open;
        if (select(top + 1, &now, NULL, NULL, NULL) < 0) return 1;
        if (FD_ISSET(0, &now)) {
            char line[80];
            if (!fgets(line, sizeof line, stdin)) return 0;
            obey(line, &open, &top, listener);
            continue;
        }
        for (int fd = 1; fd <= top; fd++) {
            if (!FD_ISSET(fd, &now)) continue;
            if (fd == listener) {
                int c = accept(listener, NULL, NULL);
                if (c >= 0) FD_SET(c, &open), top = c > top ? c : top;
                continue;
            }
            uint8_t q[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(bus, fd);
            int n = modbus_receive(bus, q);
            if (n > 0) answer(fd, q, n);
            else if (n < 0 && tcp) FD_CLR(fd, &open), close(fd);
        }
    }
}
