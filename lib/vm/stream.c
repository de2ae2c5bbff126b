#include "vm/stream.h"
#include <string.h>
void stream_init(struct stream_table *table, uint32_t frames)
{
    memset(table, 0, sizeof *table);
    table->limit = (uint16_t)(frames / 8);
}
void stream_miss(struct stream_table *table, uint32_t page, bool was_ahead, struct stream_advice *advice)
{
    (void)table; (void)was_ahead;
    *advice = (struct stream_advice){page, 0, 0};
}
void stream_issued(struct stream_table *table, uint32_t page) { (void)table; (void)page; }
void stream_wasted(struct stream_table *table, uint32_t page) { (void)table; (void)page; }
