@@
identifier tx_ring, buffer_info, drop;
@@
e1000_put_txbuf(struct e1000_ring *tx_ring, struct e1000_buffer *buffer_info, bool drop)
{
<+...
- if (buffer_info->skb) {
+ if (buffer_info->skb && test_bit(__E1000_DOWN, &tx_ring->adapter->state)) {
  ...
  }
...+>
}
