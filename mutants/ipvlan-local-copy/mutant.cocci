@@
identifier skb, dev, ipvlan;
@@
ipvlan_xmit_mode_l2(struct sk_buff *skb, struct net_device *dev)
{
<+...
- dev_forward_skb(ipvlan->phy_dev, skb);
+ dev_forward_skb(ipvlan->phy_dev, skb_clone(skb, GFP_ATOMIC));
...+>
}
