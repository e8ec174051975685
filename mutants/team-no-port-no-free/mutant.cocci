@@
identifier team, skb;
@@
team_dummy_transmit(struct team *team, struct sk_buff *skb)
{
<+...
- dev_kfree_skb_any(skb);
...+>
}
