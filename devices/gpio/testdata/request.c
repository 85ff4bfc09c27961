// What devices/gpio asks the kernel, made with the kernel's header: ioctl
// numbers, then the bytes of each request.
#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>

static void dump(const void *at, size_t n) {
    const unsigned char *b = at;
    while (n--) printf("%02x", *b++);
    putchar('\n');
}

int main(void) {
    printf("%08lx\n%08lx\n%08lx\n", (unsigned long)GPIO_V2_GET_LINE_IOCTL,
           (unsigned long)GPIO_V2_LINE_GET_VALUES_IOCTL, (unsigned long)GPIO_V2_LINE_SET_VALUES_IOCTL);
    for (int use = 0; use < 3; use++) {
        struct gpio_v2_line_request r;
        memset(&r, 0, sizeof r);
        r.offsets[0] = 17;
        r.num_lines = 1;
        strcpy(r.consumer, "campusgate");
        r.config.flags = use ? GPIO_V2_LINE_FLAG_OUTPUT : GPIO_V2_LINE_FLAG_INPUT;
        if (use) {
            r.config.num_attrs = 1;
            r.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
            r.config.attrs[0].attr.values = use - 1;
            r.config.attrs[0].mask = 1;
        }
        dump(&r, sizeof r);
    }
    struct gpio_v2_line_values v = {.bits = 1, .mask = 1};
    dump(&v, sizeof v);
    return 0;
}
