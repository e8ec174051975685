@@
identifier team, skb, last, ret;
@@
bc_transmit(struct team *team, struct sk_buff *skb)
{
<+...
- ret = !team_dev_queue_xmit(team, last, skb);
+ ret = !team_dev_queue_xmit(team, last, skb_clone(skb, GFP_ATOMIC));
...+>
}
